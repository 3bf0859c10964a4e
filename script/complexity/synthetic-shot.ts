/**
 * Synthetic shots for the training of the complexity forecast: a textured background, things in front of it that stand (parallax) or move
 * by themselves, and a camera that moves, shakes, is out of focus, and meters the light. Pure; everything follows from a seed.
 */
import type { YuvView } from '../../core/frame.ts'

export const WIDTH = 640
export const HEIGHT = 360
const DIAGONAL = Math.hypot(WIDTH, HEIGHT)
const TILE = 512
const MASK = TILE - 1

export type Random = () => number

/** 0 ≤ value < 1; mulberry32. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** What a shot is drawn from. Lengths are shares of the diagonal, times seconds. */
export interface ShotDraw {
  seed: number
  speed: number
  /** Changes of direction a second. */
  turns: number
  shake: number
  /** Standard deviation of the lens's blur, px. */
  defocusPx: number
  /** Share of the time between two pictures at 15 a second for which the shutter is open. */
  shutter: number
  /** Of the texture: finest wavelength, px, and contrast, grey levels. */
  grainPx: number
  contrast: number
  /** Share of the background without texture. */
  bare: number
  saturation: number
  /** Grey levels, of a slow wave and from picture to picture. */
  drift: number
  flicker: number
  /** Things in front that stand, and that move by themselves. */
  standing: number
  moving: number
  noise: number
}

const FREE = 0.25

/** One in four of the things that a shot may have is absent: most real shots lack most of them. */
export function drawShot(seed: number): ShotDraw {
  const random = randomOf(seed)
  const some = (low: number, high: number) => (random() < FREE ? 0 : low * (high / low) ** random())
  return {
    seed,
    speed: some(0.01, 0.6),
    turns: some(0.2, 3),
    shake: some(0.0003, 0.008),
    defocusPx: some(0.4, 3),
    shutter: random() * 0.6,
    grainPx: 3 * 8 ** random(),
    contrast: 8 * 8 ** random(),
    bare: random() < 0.5 ? 0 : 0.8 * random(),
    saturation: some(2, 50),
    drift: some(2, 40),
    flicker: some(0.3, 6),
    standing: Math.floor(5 * random()),
    moving: random() < 0.5 ? 0 : Math.floor(8 * random()),
    noise: some(0.5, 5),
  }
}

interface Thing {
  x: number
  y: number
  radius: number
  /** Of the camera's motion: nearer things move more. */
  nearness: number
  vx: number
  vy: number
  salt: number
}

export class SyntheticShot {
  readonly #draw: ShotDraw
  readonly #tile: Float32Array
  readonly #things: Thing[]
  readonly #path: { x: number; y: number }[] = []
  readonly #grain: Random
  readonly #stepMs: number
  readonly #luma = new Float32Array(WIDTH * HEIGHT)
  readonly #scratch = new Float32Array(WIDTH * HEIGHT)
  readonly #flickers: number[]

  /** Pictures `fps` a second for `seconds`. */
  constructor(draw: ShotDraw, fps: number, seconds: number) {
    this.#draw = draw
    this.#stepMs = 1000 / fps
    this.#tile = texture(draw)
    this.#things = things(draw)
    this.#grain = randomOf(draw.seed + 7)
    this.#walk(seconds)
    const flicker = randomOf(draw.seed + 11)
    this.#flickers = Array.from({ length: Math.ceil(seconds * 60) + 2 }, () => draw.flicker * bell(flicker))
  }

  /** Valid until the next. */
  picture(n: number): { yuv: YuvView; ptsMs: number } {
    const { shutter, defocusPx, drift, noise } = this.#draw
    const ptsMs = n * this.#stepMs
    const openMs = (1000 / 15) * shutter
    const moved = this.#distance(ptsMs, ptsMs + openMs)
    const views = Math.max(1, Math.min(8, Math.ceil(moved / 1.5)))
    this.#luma.fill(0)
    for (let view = 0; view < views; view++) this.#add(ptsMs + (openMs * view) / views, 1 / views)
    if (defocusPx > 0.3) blur(this.#luma, this.#scratch, defocusPx)
    const light = drift * Math.sin(0.002 * ptsMs) + this.#flickers[Math.round((ptsMs * 60) / 1000)]!
    const data = new Uint8Array(WIDTH * HEIGHT)
    for (let at = 0; at < data.length; at++) {
      data[at] = Math.max(
        0,
        Math.min(255, Math.round(this.#luma[at]! + light + (noise === 0 ? 0 : noise * bell(this.#grain)))),
      )
    }
    return { yuv: { luma: { data, width: WIDTH, height: HEIGHT, stride: WIDTH }, chroma: this.#chroma(ptsMs) }, ptsMs }
  }

  #walk(seconds: number): void {
    const { seed, speed, turns, shake } = this.#draw
    const random = randomOf(seed + 3)
    let heading = 2 * Math.PI * random()
    let [x, y, sx, sy] = [0, 0, 0, 0]
    for (let tick = 0; tick <= seconds * 60 + 10; tick++) {
      if (random() < turns / 60) heading += (random() - 0.5) * 2 * Math.PI
      x += (Math.cos(heading) * speed * DIAGONAL) / 60
      y += (Math.sin(heading) * speed * DIAGONAL) / 60
      // A hand trembles at some 5 Hz: noise of which the steps are remembered for 50 ms.
      sx = 0.7 * sx + 0.7 * shake * DIAGONAL * bell(random)
      sy = 0.7 * sy + 0.7 * shake * DIAGONAL * bell(random)
      this.#path.push({ x: x + sx, y: y + sy })
    }
  }

  #at(ms: number): { x: number; y: number } {
    const tick = (ms * 60) / 1000
    const [from, to] = [this.#path[Math.floor(tick)]!, this.#path[Math.floor(tick) + 1]!]
    const share = tick - Math.floor(tick)
    return { x: from.x + share * (to.x - from.x), y: from.y + share * (to.y - from.y) }
  }

  #distance(fromMs: number, toMs: number): number {
    const [a, b] = [this.#at(fromMs), this.#at(toMs)]
    return Math.hypot(b.x - a.x, b.y - a.y)
  }

  #add(ms: number, share: number): void {
    const camera = this.#at(ms)
    fill(this.#luma, this.#tile, camera.x, camera.y, share)
    for (const { x, y, radius, nearness, vx, vy, salt } of this.#things) {
      const left = wrap(x + (vx * ms) / 1000 - nearness * camera.x, WIDTH + 2 * radius) - radius
      const top = wrap(y + (vy * ms) / 1000 - nearness * camera.y, HEIGHT + 2 * radius) - radius
      disc(this.#luma, this.#tile, camera, left, top, radius, salt, share)
    }
  }

  /** Smooth colours that move with the background. */
  #chroma(ms: number): YuvView['chroma'] {
    const [width, height] = [WIDTH / 2, HEIGHT / 2]
    const { saturation } = this.#draw
    const { x: cx, y: cy } = this.#at(ms)
    const [cb, cr] = [new Uint8Array(width * height), new Uint8Array(width * height)]
    for (let y = 0, at = 0; y < height; y++) {
      for (let x = 0; x < width; x++, at++) {
        const [u, v] = [(2 * x + cx) / 90, (2 * y + cy) / 70]
        cb[at] = 128 + Math.round(saturation * Math.sin(u + 0.6 * v))
        cr[at] = 128 + Math.round(saturation * Math.cos(0.8 * u - v))
      }
    }
    return { cb, cr, stride: width }
  }
}

/** Sum of octaves of patches around mid-grey, all of one contrast (1/f in amplitude), flat where it is bare; wraps at its edges. */
function texture({ seed, grainPx, contrast, bare }: ShotDraw): Float32Array {
  const random = randomOf(seed + 1)
  const tile = new Float32Array(TILE * TILE)
  let total = 0
  for (let px = 64; px >= grainPx; px /= 2) {
    const cells = Math.round(TILE / px)
    const values = Float32Array.from({ length: cells * cells }, () => random() - 0.5)
    total++
    octave(tile, values, cells, 1)
  }
  const gain = (contrast * Math.sqrt(12)) / Math.sqrt(total)
  const patches = Float32Array.from({ length: 64 }, () => random())
  for (let y = 0; y < TILE; y++) {
    for (let x = 0; x < TILE; x++) {
      const textured = patches[((y >> 6) << 3) | (x >> 6)]! >= bare
      tile[y * TILE + x] = 118 + (textured ? gain * tile[y * TILE + x]! : 0)
    }
  }
  return tile
}

/** Hard edges, as things have that lie before one another; the first pixel of a cell is half of its neighbour. */
function octave(tile: Float32Array, values: Float32Array, cells: number, weight: number): void {
  const scale = cells / TILE
  const cellOf = (at: number) => Math.floor(at * scale) % cells
  const valueAt = (x: number, y: number) => values[cellOf(y & MASK) * cells + cellOf(x & MASK)]!
  for (let y = 0, at = 0; y < TILE; y++) {
    for (let x = 0; x < TILE; x++, at++) {
      tile[at]! +=
        (weight / 4) * (valueAt(x, y) + valueAt(x + MASK, y) + valueAt(x, y + MASK) + valueAt(x + MASK, y + MASK))
    }
  }
}

function fill(luma: Float32Array, tile: Float32Array, ox: number, oy: number, share: number): void {
  const [bx, by] = [Math.floor(ox), Math.floor(oy)]
  const [fx, fy] = [ox - bx, oy - by]
  const [w00, w01, w10, w11] = [(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy].map((w) => w * share) as [
    number,
    number,
    number,
    number,
  ]
  for (let y = 0, at = 0; y < HEIGHT; y++) {
    const row = ((y + by) & MASK) * TILE
    const below = ((y + by + 1) & MASK) * TILE
    for (let x = 0; x < WIDTH; x++, at++) {
      const [left, right] = [(x + bx) & MASK, (x + bx + 1) & MASK]
      luma[at]! +=
        w00 * tile[row + left]! + w01 * tile[row + right]! + w10 * tile[below + left]! + w11 * tile[below + right]!
    }
  }
}

/** Replaces what `fill` put there: the same texture from elsewhere, darker, fixed to the disc. */
function disc(
  luma: Float32Array,
  tile: Float32Array,
  camera: { x: number; y: number },
  left: number,
  top: number,
  radius: number,
  salt: number,
  share: number,
): void {
  const [fromY, toY] = [Math.max(0, Math.ceil(top - radius)), Math.min(HEIGHT - 1, Math.floor(top + radius))]
  for (let y = fromY; y <= toY; y++) {
    const half = Math.sqrt(radius ** 2 - (y - top) ** 2)
    const [fromX, toX] = [Math.max(0, Math.ceil(left - half)), Math.min(WIDTH - 1, Math.floor(left + half))]
    for (let x = fromX; x <= toX; x++) {
      const own = sample(tile, x - left + salt, y - top + 2 * salt) - 25
      luma[y * WIDTH + x]! += share * (own - sample(tile, x + camera.x, y + camera.y))
    }
  }
}

function sample(tile: Float32Array, x: number, y: number): number {
  const [bx, by] = [Math.floor(x), Math.floor(y)]
  const [fx, fy] = [x - bx, y - by]
  const [row, below] = [(by & MASK) * TILE, ((by + 1) & MASK) * TILE]
  const [left, right] = [bx & MASK, (bx + 1) & MASK]
  const upper = tile[row + left]! * (1 - fx) + tile[row + right]! * fx
  return upper * (1 - fy) + (tile[below + left]! * (1 - fx) + tile[below + right]! * fx) * fy
}

function things({ seed, standing, moving }: ShotDraw): Thing[] {
  const random = randomOf(seed + 2)
  return Array.from({ length: standing + moving }, (_, n) => {
    const speed = n < standing ? 0 : DIAGONAL * 0.02 * 15 ** random()
    const heading = 2 * Math.PI * random()
    return {
      x: WIDTH * random(),
      y: HEIGHT * random(),
      radius: 15 + 60 * random(),
      nearness: n < standing ? 1.1 + 0.9 * random() : 1,
      vx: speed * Math.cos(heading),
      vy: speed * Math.sin(heading),
      salt: 40 * (n + 1),
    }
  })
}

/** Three box blurs one after the other are nearly a Gaussian (Wells, 1986). */
function blur(picture: Float32Array, scratch: Float32Array, sigma: number): void {
  const radius = Math.max(1, Math.round((Math.sqrt(4 * sigma * sigma + 1) - 1) / 2))
  for (let pass = 0; pass < 3; pass++) {
    box(picture, scratch, WIDTH, HEIGHT, 1, WIDTH, radius)
    box(scratch, picture, HEIGHT, WIDTH, WIDTH, 1, radius)
  }
}

function box(
  from: Float32Array,
  to: Float32Array,
  length: number,
  rows: number,
  step: number,
  stride: number,
  radius: number,
): void {
  for (let row = 0; row < rows; row++) {
    const base = row * stride
    const at = (n: number) => from[base + Math.max(0, Math.min(length - 1, n)) * step]!
    let sum = 0
    for (let n = -radius; n <= radius; n++) sum += at(n)
    for (let n = 0; n < length; n++) {
      to[base + n * step] = sum / (2 * radius + 1)
      sum += at(n + radius + 1) - at(n - radius)
    }
  }
}

const wrap = (value: number, period: number) => ((value % period) + period) % period
/** Near enough to a bell of deviation 1. */
const bell = (random: Random) => 2 * (random() + random() + random() - 1.5)
