/** The renderer of scenes: its pictures and its truth agree, by their looks and by what the real COLMAP finds in them. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { noModel, reconstruct } from '../../script/benchmarks/colmap.ts'
import { writeEven, writeThumbnails } from '../../script/benchmarks/picture-choices.ts'
import { figuresOf } from '../../script/benchmarks/reconstruction-figures.ts'
import { sceneClip, tinyScene } from '../support/scenes/scene-clips.ts'

const rendering = spawnSync('/usr/bin/python3', ['-c', 'import cv2']).status === 0
const colmap = spawnSync('colmap', ['help'], { env: { ...process.env, QT_QPA_PLATFORM: 'offscreen' } }).status === 0

describe.skipIf(!rendering)('a rendered scene', () => {
  it('has a pose, a label and a blur for each frame of its clip', () => {
    const { clip, truth } = sceneClip('orbit', tinyScene)
    const { width, height, focalPx } = truth.intrinsics
    expect([width, height, focalPx]).toEqual([320, 180, expect.closeTo(251.2)])
    const decoded = execFileSync('ffmpeg', ['-v', 'error', '-i', clip, '-f', 'rawvideo', '-pix_fmt', 'gray', '-'], {
      maxBuffer: 1e8,
    })
    expect([decoded.length / (width * height), truth.frames.length]).toEqual([45, 45])

    // It walks round until 5 s of the path, 2.2 s of the clip, and then stands still.
    const { frames: poses } = truth
    expect(poses.slice(0, 28).every(({ label }) => label === 'parallax')).toBe(true)
    expect(poses.slice(36).every(({ label }) => label === 'pause')).toBe(true)
    const change = (from: number, to: number) => {
      let sum = 0
      const size = width * height
      for (let i = 0; i < size; i++) sum += Math.abs(decoded[from * size + i]! - decoded[to * size + i]!)
      return sum / size
    }
    expect(change(40, 42)).toBeLessThan(change(10, 12) / 2)
    expect(Math.max(...poses.slice(36).map(({ blurPx }) => blurPx))).toBeLessThan(1)

    for (const { rotation: r } of poses) {
      const row = (i: number) => r.slice(3 * i, 3 * i + 3)
      const dot = (a: number[], b: number[]) => a[0]! * b[0]! + a[1]! * b[1]! + a[2]! * b[2]!
      const products = [dot(row(0), row(0)), dot(row(0), row(1)), dot(row(2), row(2))]
      expect(products).toEqual([1, 0, 1].map((value) => expect.closeTo(value, 6)))
    }
  })

  it('gives pictures that are named by their frames', async () => {
    const { clip, truth } = sceneClip('orbit', tinyScene)
    const folder = mkdtempSync(join(tmpdir(), 'grabber-scene-'))
    try {
      await writeEven(clip, join(folder, 'even'), 5, truth.frames.length)
      const names = ['00000004.jpg', '00000013.jpg', '00000022.jpg', '00000031.jpg', '00000040.jpg']
      expect(readdirSync(join(folder, 'even')).toSorted()).toEqual(names)
      await writeThumbnails(clip, join(folder, 'thumbnails'), 5, truth.frames.length)
      const groups = readdirSync(join(folder, 'thumbnails')).toSorted()
      expect(groups.map((name) => Math.floor(Number.parseInt(name, 10) / 9))).toEqual([0, 1, 2, 3, 4])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('gives as many as are asked for', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'grabber-scene-'))
    try {
      const clip = join(folder, 'clip.mp4')
      const source = ['-f', 'lavfi', '-i', 'testsrc2=s=32x32:r=25:d=20', '-c:v', 'libx264', '-preset', 'ultrafast']
      execFileSync('ffmpeg', ['-v', 'error', ...source, clip])
      await writeEven(clip, join(folder, 'even'), 250, 500)
      const names = readdirSync(join(folder, 'even')).toSorted()
      expect([names.length, names[0], names.at(-1)]).toEqual([250, '00000001.jpg', '00000499.jpg'])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it.skipIf(!colmap)('is what COLMAP reconstructs, to a hundredth of its way', async () => {
    const { clip, truth } = sceneClip('orbit', tinyScene)
    const { focalPx, width, height } = truth.intrinsics
    const folder = mkdtempSync(join(tmpdir(), 'grabber-scene-'))
    const work = join(folder, 'work')
    try {
      mkdirSync(work)
      await writeEven(clip, join(folder, 'images'), 12, truth.frames.length)
      const model = await reconstruct(join(folder, 'images'), work, focalPx, [width, height])
      const figures = figuresOf(readdirSync(join(folder, 'images')).toSorted(), model, truth)
      expect(figures).toMatchObject({ pictures: 12, registeredShare: 1, coveredShare: 1 })
      expect(figures.registeredPositionError).toBeLessThan(0.01)
      expect(figures.meanTrackLength).toBeGreaterThan(3)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it.skipIf(!colmap)('gives no model, and no error, of pictures that show nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'grabber-scene-'))
    const [images, work] = [join(folder, 'images'), join(folder, 'work')]
    try {
      for (const name of [images, work]) mkdirSync(name)
      const source = ['-f', 'lavfi', '-i', 'color=gray:s=320x180:r=4:d=1']
      execFileSync('ffmpeg', ['-v', 'error', ...source, join(images, '%d.jpg')])
      expect(await reconstruct(images, work, 250, [320, 180])).toBe(noModel)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
