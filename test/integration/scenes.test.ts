/** The renderer of scenes: its pictures and its truth agree. What COLMAP makes of them is the benchmark's to say. */
import { execFileSync, spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { sceneClip, tinyScene } from '../support/scenes/scene-clips.ts'

const installed = spawnSync('/usr/bin/python3', ['-c', 'import cv2']).status === 0

it.skipIf(!installed)('renders a clip whose truth has a pose, a label and a blur for each frame', () => {
  const { clip, truth } = sceneClip('orbit', tinyScene)
  const { width, height, focalPx } = truth.intrinsics
  expect([width, height, focalPx]).toEqual([320, 180, expect.closeTo(251.2)])
  const decoded = execFileSync('ffmpeg', ['-v', 'error', '-i', clip, '-f', 'rawvideo', '-pix_fmt', 'gray', '-'], {
    maxBuffer: 1e8,
  })
  const frames = decoded.length / (width * height)
  expect([frames, truth.frames.length]).toEqual([45, 45])

  // The path stands still from 5 to 7.6 s, and hurries on from there.
  const { frames: poses } = truth
  expect(poses.slice(0, 30).every(({ label }) => label === 'pause')).toBe(true)
  expect(poses.slice(38).every(({ label }) => label === 'parallax')).toBe(true)
  const change = (from: number, to: number) => {
    let sum = 0
    const size = width * height
    for (let i = 0; i < size; i++) sum += Math.abs(decoded[from * size + i]! - decoded[to * size + i]!)
    return sum / size
  }
  expect(change(10, 12)).toBeLessThan(change(42, 44) / 2)
  expect(poses[43]!.blurPx).toBeGreaterThan(2 * poses[20]!.blurPx)

  for (const { rotation: r } of poses) {
    const row = (i: number) => r.slice(3 * i, 3 * i + 3)
    const dot = (a: number[], b: number[]) => a[0]! * b[0]! + a[1]! * b[1]! + a[2]! * b[2]!
    expect([dot(row(0), row(0)), dot(row(0), row(1)), dot(row(2), row(2))]).toEqual(
      [1, 0, 1].map((v) => expect.closeTo(v, 6)),
    )
  }
})
