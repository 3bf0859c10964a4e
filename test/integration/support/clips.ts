/** Clips made for a test from the real ones, by ffmpeg; in a folder that goes with the test. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../../..')
export const assets = resolve(process.env.GRABBER_ASSETS ?? join(root, '../shared/assets'))

export const videos = join(assets, 'videos')
export const hasClips = existsSync(join(videos, 'asl'))

/** One face each; three people: again, help, yes · book, walk · eat, night, sister. */
export function asl(name: string): string {
  return join(videos, 'asl', `${name}.mkv`)
}

const ENCODER = ['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '10', '-pix_fmt', 'yuv420p', '-an']

export class ClipFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'grabber-clips-'))

  at(name: string): string {
    return join(this.path, name)
  }

  /** `inputs` through a filter graph whose result is `[v]`. */
  filtered(name: string, inputs: readonly string[], graph: string): string {
    const sources = inputs.flatMap((input) => ['-i', input])
    return this.#ffmpeg(name, [...sources, '-filter_complex', graph, '-map', '[v]', ...ENCODER])
  }

  /** The packets as they are in another container. */
  copied(name: string, input: string, ...options: string[]): string {
    return this.#ffmpeg(name, ['-i', input, '-c', 'copy', ...options])
  }

  /** Anything that ffmpeg makes. */
  made(name: string, ...args: string[]): string {
    return this.#ffmpeg(name, args)
  }

  /** A copy of a file's bytes, changed. */
  edited(name: string, input: string, edit: (bytes: Buffer) => Buffer): string {
    writeFileSync(this.at(name), edit(readFileSync(input)))
    return this.at(name)
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }

  #ffmpeg(name: string, args: string[]): string {
    execFileSync('ffmpeg', ['-v', 'error', '-y', ...args, this.at(name)], { timeout: 60_000 })
    return this.at(name)
  }
}

/** Writes a display matrix into an mp4's track header: players turn the picture clockwise by `degrees`. */
export function turned(bytes: Buffer, degrees: 90 | 180 | 270): Buffer {
  const header = bytes.indexOf('tkhd')
  if (header < 0 || bytes[header + 4] !== 0) throw new Error('no track header of version 0')
  // After the name: version, times, track, duration, layer, volume (ISO/IEC 14496-12, 8.3.2); 16.16 and 2.30 fixed point.
  const one = 1 << 16
  const matrix = { 90: [0, one, -one, 0], 180: [-one, 0, 0, -one], 270: [0, -one, one, 0] }[degrees]
  const [a, b, c, d] = matrix as [number, number, number, number]
  const out = Buffer.from(bytes)
  for (const [index, value] of [a, b, 0, c, d, 0, 0, 0, 1 << 30].entries()) {
    out.writeInt32BE(value, header + 44 + 4 * index)
  }
  return out
}

/** Every occurrence of a four-character code replaced. */
export function withFourcc(bytes: Buffer, from: string, to: string): Buffer {
  return Buffer.from(bytes.toString('latin1').replaceAll(from, to), 'latin1')
}
