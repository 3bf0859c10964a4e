/**
 * Clips of a scene that does not move, as healthy and as frozen cameras would send them; made by the ffmpeg command from a
 * picture and noise. Runs in the benchmark's process, and in tests.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'

/** Of the noise's memory; a frame takes each row from another place in it. */
const NOISE_VALUES = 1 << 20

export interface StillScene {
  width: number
  height: number
  /** Video range. */
  luma: Float32Array
  /** Planes of a 4:2:0 picture. */
  chroma: Buffer
}

/**
 * `fresh`: each picture has its own noise. `held`: only each I-frame has, so that all others are skipped blocks. `same`: every
 * picture is the very same. `clock`: the same, with two digits that count the seconds.
 */
export type StillKind = 'fresh' | 'held' | 'same' | 'clock'

export interface StillClip {
  path: string
  scene: StillScene
  kind: StillKind
  /** Standard deviation of the noise, 8-bit grey levels. */
  sigma: number
  fps: number
  groupPictures: number
  groups: number
  /** Codec and its settings, as options of ffmpeg. */
  encoder: readonly string[]
}

/** The first picture of `path`, cut to the size; `light` below 1 makes it dark. */
export async function stillScene(path: string, width: number, height: number, light = 1): Promise<StillScene> {
  const cover = `scale=${width}:${height}:force_original_aspect_ratio=increase:out_range=tv,crop=${width}:${height}`
  // 16 bits, so that the scene has no steps of its own where noise is weaker than one of 8 bits.
  const filter = `${cover},format=yuv420p16le`
  const args = ['-v', 'error', '-nostdin', '-i', path, '-frames:v', '1', '-vf', filter, '-f', 'rawvideo', '-']
  const { stdout } = await promisify(execFile)('ffmpeg', args, { encoding: 'buffer', maxBuffer: 1 << 28 })
  const pixels = width * height
  const values = new Uint16Array(stdout.buffer, stdout.byteOffset, pixels + pixels / 2)
  const luma = Float32Array.from(values.subarray(0, pixels), (value) => 16 + light * (value / 256 - 16))
  const chroma = Buffer.from(Uint8Array.from(values.subarray(pixels), (value) => 128 + light * (value / 256 - 128)))
  return { width, height, luma, chroma }
}

export async function makeStillClip(clip: StillClip): Promise<void> {
  const { scene, kind, fps, groupPictures, groups, encoder, path } = clip
  const size = `${scene.width}x${scene.height}`
  const input = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', size, '-r', String(fps), '-i', '-']
  const args = ['-v', 'error', '-y', ...input, ...encoder, '-g', String(groupPictures), '-threads', '1', path]
  const child = spawn('ffmpeg', args, { stdio: ['pipe', 'ignore', 'inherit'] })
  const closed = once(child, 'close')
  const noise = new Noise()
  let picture = noise.over(scene, clip.sigma)
  for (let n = 0; n < groupPictures * groups; n++) {
    if (n > 0 && (kind === 'fresh' || (kind === 'held' && n % groupPictures === 0)))
      picture = noise.over(scene, clip.sigma)
    const shown = kind === 'clock' ? withDigits(picture, scene.width, Math.floor(n / fps)) : picture
    if (!child.stdin.write(shown)) await Promise.race([once(child.stdin, 'drain'), closed])
  }
  child.stdin.end()
  const [status] = await closed
  if (status !== 0) throw new Error(`ffmpeg could not make ${path}`)
}

class Noise {
  readonly #values = new Float32Array(NOISE_VALUES)
  #state = 1

  constructor() {
    // Box and Muller.
    for (let i = 0; i < NOISE_VALUES; i++) {
      this.#values[i] = Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random())
    }
  }

  /** A picture of the scene with noise of its own. */
  over({ width, height, luma, chroma }: StillScene, sigma: number): Buffer {
    const out = Buffer.alloc(luma.length + chroma.length)
    for (let row = 0; row < height; row++) {
      let from = Math.floor(this.#random() * (NOISE_VALUES - width))
      for (let at = row * width, end = at + width; at < end; at++) {
        out[at] = Math.max(0, Math.min(255, luma[at]! + sigma * this.#values[from++]! + 0.5))
      }
    }
    chroma.copy(out, luma.length)
    return out
  }

  #random(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0
    return this.#state / 2 ** 32
  }
}

/** Segments of each digit: top, left and right above, middle, left and right below, bottom. */
const DIGITS = [
  0b1110111, 0b0100100, 0b1011101, 0b1101101, 0b0101110, 0b1101011, 0b1111011, 0b0100101, 0b1111111, 0b1101111,
]

/** Digits of 13 × 24 px, 2 px thick: the smallest that cameras write into such pictures. */
function withDigits(picture: Buffer, width: number, seconds: number): Buffer {
  const out = Buffer.from(picture)
  const bar = (x: number, y: number, wide: number, high: number, value: number) => {
    for (let row = y; row < y + high; row++) out.fill(value, row * width + x, row * width + x + wide)
  }
  for (const [place, digit] of [Math.floor(seconds / 10) % 10, seconds % 10].entries()) {
    const [x, y] = [16 + 20 * place, 16]
    const lit = (segment: number) => ((DIGITS[digit]! >> segment) & 1) === 1
    bar(x - 2, y - 1, 17, 26, 40)
    for (const [index, segment] of [0, 3, 6].entries()) if (lit(segment)) bar(x, y + 11 * index, 13, 2, 235)
    for (const [index, segment] of [1, 2, 4, 5].entries()) {
      if (lit(segment)) bar(x + 11 * (index % 2), y + 11 * Math.floor(index / 2), 2, 13, 235)
    }
  }
  return out
}
