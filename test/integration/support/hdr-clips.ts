/** Clips in ten bits whose pictures are patches of known code values, encoded without loss by x265; in HDR or not. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import type { ClipFolder } from './clips.ts'

/** Y′, Cb, Cr as ten-bit code values of narrow range (ITU-R BT.2100, table 9). */
export type Patch = readonly [number, number, number]

/** Side of a patch, px. */
export const PATCH_PX = 32
const ROWS = 4
const FRAMES = 5

export interface Tags {
  primaries: string
  transfer: string
  matrix: string
  /** Of x265, such as `max-cll=1000,400`. */
  extra?: string
}

/** Each patch is a column; five pictures. */
export function patchClip(clips: ClipFolder, name: string, patches: readonly Patch[], tags: Tags): string {
  const raw = clips.at(`${name}.yuv`)
  const [width, height] = [PATCH_PX * patches.length, PATCH_PX * ROWS]
  const plane = (which: 0 | 1 | 2, scale: number) => {
    const row = Uint16Array.from(
      { length: width / scale },
      (_, x) => patches[Math.floor((x * scale) / PATCH_PX)]![which],
    )
    return Buffer.concat(Array.from({ length: height / scale }, () => Buffer.from(row.buffer)))
  }
  const picture = Buffer.concat([plane(0, 1), plane(1, 2), plane(2, 2)])
  writeFileSync(raw, Buffer.concat(Array.from({ length: FRAMES }, () => picture)))
  const { primaries, transfer, matrix, extra } = tags
  const colour = `colorprim=${primaries}:transfer=${transfer}:colormatrix=${matrix}:range=limited`
  const input = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p10le', '-s', `${width}x${height}`, '-r', '25', '-i', raw]
  const params = ['log-level=error', 'lossless=1', 'pools=1', colour, ...(extra ? [extra] : [])].join(':')
  const encoder = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', params]
  const path = clips.at(`${name}.mp4`)
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...input, ...encoder, path], { timeout: 60_000 })
  return path
}
