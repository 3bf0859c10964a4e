/**
 * The recording that keyframes are extracted from: a camera that turns over a large photograph, 1920×1080 at 30 fps, H.264 at about
 * 6 Mbit/s, with a sensor's noise. Made once by the ffmpeg command, in out/bench; a longer one plays it round, as it is coded.
 */
import { existsSync } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { GrabberError } from '../../core/errors.ts'
import { ffmpeg } from './clip.ts'

export const PANORAMA_SECONDS = 20
const FPS = 30
const PHOTOGRAPH = 'sfm/berlin/images/01.jpg'

/** Path of a clip of so many seconds. SRC_NOT_FOUND without the photograph or without ffmpeg. */
export async function panoramaClip(assets: string, seconds: number): Promise<string> {
  const photograph = join(assets, PHOTOGRAPH)
  if (!existsSync(photograph)) {
    const remedy = 'set GRABBER_ASSETS to the folder of the test assets'
    throw new GrabberError('SRC_NOT_FOUND', `${photograph} is not there`, { remedy })
  }
  const whole = await made('panorama-1080p.mp4', panorama(photograph))
  if (seconds === PANORAMA_SECONDS) return whole
  const copied = ['-stream_loop', '-1', '-i', whole, '-t', String(seconds), '-c', 'copy']
  return made(`panorama-1080p-${seconds}s.mp4`, copied)
}

/** There and back, so that it can be played round. */
function panorama(photograph: string): string[] {
  const turn = `2*PI*t/${PANORAMA_SECONDS}`
  const crop = `crop=1920:1080:x='(iw-ow)/2*(1+0.9*sin(${turn}))':y='(ih-oh)/2*(1-0.9*cos(2*${turn}))'`
  const still = `scale=3264:2448,format=yuv420p,loop=-1:1,setpts=N/${FPS}/TB,fps=${FPS}`
  const rate = ['-b:v', '6M', '-maxrate', '6M', '-bufsize', '12M', '-g', '60']
  const coding = ['-c:v', 'libx264', '-preset', 'veryfast', ...rate]
  return ['-i', photograph, '-vf', `${still},${crop},noise=alls=4:allf=t`, '-t', String(PANORAMA_SECONDS), ...coding]
}

async function made(name: string, args: string[]): Promise<string> {
  const folder = resolve('out/bench')
  const path = join(folder, name)
  if (existsSync(path)) return path
  await mkdir(folder, { recursive: true })
  const unfinished = `${path}.${process.pid}.part`
  await ffmpeg([...args, '-f', 'mp4', unfinished])
  await rename(unfinished, path)
  return path
}
