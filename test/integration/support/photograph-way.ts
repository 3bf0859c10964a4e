/** A recording whose second pass has something to compare: a short way along a photograph of the assets. Tests only. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { assets } from './clips.ts'

export const photographs = join(assets, 'sfm/lund/images')
export const hasPhotographs = existsSync(photographs)

/** So many seconds of 640×360 at 15 frames a second; the whole photograph would take `crossingS`. */
export function wayAlong(photograph: string, target: string, seconds = 2, crossingS = 5): void {
  const way = `crop=iw/2:ih/2:x='(iw-ow)*t/${crossingS}':y='(ih-oh)/2',scale=640:360,format=yuv420p`
  const input = ['-loop', '1', '-framerate', '15', '-i', photograph]
  execFileSync('ffmpeg', ['-v', 'error', ...input, '-t', String(seconds), '-vf', way, target])
}
