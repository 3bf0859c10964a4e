/**
 * A camera that moves over a photograph: it goes right, stands still, and goes on down, with noise. Made once by ffmpeg and kept. B-frames
 * and groups that refer to the one before, so that a seek comes out in the middle of everything.
 */
import { execFileSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { kept, stamped } from './clip-cache.ts'

const assets = resolve(process.env.GRABBER_ASSETS ?? join(import.meta.dirname, '../../../../shared/assets'))

export interface MovingView {
  seconds: number
  /** 30 unless told otherwise. */
  fps?: number
  /** 480 unless told otherwise; 16:9. */
  width?: number
  /** 3 unless told otherwise. */
  bFrames?: number
  /** `h264`: an elementary stream, without any times. */
  container?: 'mp4' | 'h264'
}

export function movingView({ seconds, fps = 30, width = 480, bFrames = 3, container = 'mp4' }: MovingView): string {
  const photograph = join(assets, 'sfm/berlin/images/01.jpg')
  const height = Math.round((width * 9) / 32) * 2
  // Of the way: a third to the right, a third at rest, a third down.
  const part = (from: number) => `clip(3*t/${seconds}-${from},0,1)`
  const crop = `crop=${width}:${height}:x='(iw-ow)*(0.1+0.6*${part(0)})':y='(ih-oh)*(0.1+0.6*${part(2)})'`
  const still = `scale=${2.4 * width}:-2,format=yuv420p,loop=-1:1,setpts=N/${fps}/TB,fps=${fps}`
  const graph = `${still},${crop},noise=alls=3:allf=t:all_seed=7,format=yuv420p`
  const x264 = `keyint=${fps}:min-keyint=${fps}:scenecut=0:open-gop=1:threads=1`
  const coding = ['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '24', '-bf', String(bFrames), '-x264-params', x264]
  const output = ['-t', String(seconds), ...coding, '-f', container]
  return kept('moving-view', container, [stamped(photograph), fps, graph, ...output], (path) => {
    execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', photograph, '-vf', graph, ...output, path], { timeout: 120_000 })
  })
}
