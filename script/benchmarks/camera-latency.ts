/**
 * How old a picture is when its event reaches a subscriber: pictures carry their number, the server says when each number left,
 * and a keyframe shows which number a session's PTS stands for. Runs in the benchmark's process.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { GrabberError } from '../../core/errors.ts'
import { numberIn } from '../../test/integration/support/numbered-clip.ts'
import type { Camera } from '../../test/integration/support/rtsp-server.ts'
import type { Sighting } from './camera-arrivals.ts'
import { type CameraRig, NODE, pause, type Watched } from './camera-rig.ts'

const LIMIT_MS = 10_000
const POLL_MS = 20

/** Picture `number` of the clip has this PTS in the camera's session. */
export interface Calibration {
  ptsMs: number
  number: number
}

export interface ClipShape {
  fps: number
  frames: number
  width: number
  height: number
}

/** Asks for a keyframe and reads the number in it. */
export async function calibrate(rig: CameraRig, { id }: Watched, shape: ClipShape): Promise<Calibration> {
  const { sightings } = rig.arrivals
  const from = sightings.length
  rig.arrivals.askKeyframe(NODE, id)
  const deadline = performance.now() + LIMIT_MS
  for (;;) {
    const kept = sightings.slice(from).find(({ type, camera }) => type === 'keyframe' && camera === id)
    const path = kept && join(rig.picturesDir, kept.file!)
    // The event may overtake the file.
    if (path !== undefined && existsSync(path)) return { ptsMs: kept!.ptsMs, number: numberOf(path, shape) }
    if (performance.now() > deadline) throw new GrabberError('ACT_DEADLINE', `${id} kept no keyframe`)
    await pause(POLL_MS)
  }
}

function numberOf(jpeg: string, { width, height }: ClipShape): number {
  const luma = execFileSync('ffmpeg', ['-v', 'error', '-i', jpeg, '-f', 'rawvideo', '-pix_fmt', 'gray', '-'], {
    maxBuffer: 2 * width * height,
  })
  const number = numberIn(luma, width, height)
  if (number === null) throw new GrabberError('ACT_DEFECT', `no number can be read in ${jpeg}`)
  return number
}

/** Two calibrations of one session agree when they name the same picture for a PTS. */
export function agree(a: Calibration, b: Calibration, shape: ClipShape): boolean {
  return pictureAt(a, b.ptsMs, shape) === b.number
}

/** Age at its arrival, ms; `undefined` when the server did not say when it sent it. */
export function ageOf({ ptsMs, arrivedAtMs }: Sighting, camera: Camera, known: Calibration, shape: ClipShape) {
  const sentAtMs = camera.sentAtMs(pictureAt(known, ptsMs, shape), arrivedAtMs)
  return sentAtMs === undefined ? undefined : arrivedAtMs - sentAtMs
}

function pictureAt({ ptsMs, number }: Calibration, atMs: number, { fps, frames }: ClipShape): number {
  const pictures = number + Math.round(((atMs - ptsMs) * fps) / 1000)
  return ((pictures % frames) + frames) % frames
}

export interface Spread {
  n: number
  p50: number
  p95: number
  p99: number
  mean: number
  max: number
}

/** Of ms; `null` of none. */
export function spreadOf(values: readonly number[]): Spread | null {
  if (values.length === 0) return null
  const sorted = values.toSorted((a, b) => a - b)
  const quantile = (q: number) => Math.round(10 * sorted[Math.ceil(q * sorted.length) - 1]!) / 10
  const mean = Math.round((10 * sorted.reduce((sum, value) => sum + value)) / sorted.length) / 10
  return { n: sorted.length, p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99), mean, max: quantile(1) }
}
