import { describe, expect, it } from 'vitest'
import { noModel, readModel } from '../../../script/benchmarks/colmap.ts'
import { evenFrames, groupLength } from '../../../script/benchmarks/picture-choices.ts'
import { figuresOf } from '../../../script/benchmarks/reconstruction-figures.ts'
import type { Point } from '../../../script/benchmarks/similarity.ts'
import type { SceneTruth } from '../../support/scenes/scene-clips.ts'

describe('a model in COLMAP’s text format', () => {
  // The first picture is turned by 90° about z: its centre is (2, -1, -3).
  const half = Math.SQRT1_2
  const images = `# Image list
# comment
2 ${half} 0 0 ${half} -1 -2 3 1 00000010.jpg
100.5 20.25 7 8 9 -1
5 1 0 0 0 -4 -5 -6 1 of two words.jpg

`
  const points = '# 3D point list\n7 1 2 3 10 20 30 0.5 2 0 5 0\n9 1 2 3 10 20 30 1.5 2 1 5 1 8 3 9 0\n'

  it('is read: centres, points, tracks, error', () => {
    const model = readModel(images, points)
    const centre = (name: string) => model.centres.get(name)!.map((value) => expect.closeTo(value, 12))
    expect([...model.centres.keys()]).toEqual(['00000010.jpg', 'of two words.jpg'])
    expect([2, -1, -3]).toEqual(centre('00000010.jpg'))
    expect([4, 5, 6]).toEqual(centre('of two words.jpg'))
    expect([model.points, model.meanTrackLength, model.reprojectionErrorPx]).toEqual([2, 3, 1])
  })

  it('may have pictures and no points', () => {
    expect(readModel(images, '# 3D point list\n')).toMatchObject({
      points: 0,
      meanTrackLength: 0,
      reprojectionErrorPx: 0,
    })
  })
})

describe('what a reconstruction is worth', () => {
  const identity = [1, 0, 0, 0, 1, 0, 0, 0, 1]
  // 5 s at one frame a second, a bend of 4 m; the last frame looks round on the spot.
  const way: Point[] = [
    [0, 0, 0],
    [1, 0, 0],
    [2, 0, 0],
    [2, 1, 0],
    [2, 2, 0],
    [2, 2, 0],
  ]
  const truth: SceneTruth = {
    path: 'street',
    fps: 1,
    intrinsics: { width: 320, height: 180, focalPx: 250, cx: 159.5, cy: 89.5 },
    frames: way.map((centre, index) => ({
      ptsMs: 1000 * index,
      rotation: identity,
      translation: centre.map((value) => -value),
      label: index === 5 ? 'pan' : 'parallax',
      blurPx: 1,
      depthM: 4,
    })),
  }
  const names = [0, 1, 2, 4, 5].map((frame) => `${String(frame).padStart(8, '0')}.jpg`)
  const model = (entries: [string, Point][]) => ({
    centres: new Map(entries),
    points: 9,
    meanTrackLength: 4,
    reprojectionErrorPx: 0.7,
  })

  it('is measured in shares of the way and of the pictures on it', () => {
    // The true centres in another frame, but for the last one, which is 0.4 m too far.
    const other = ([x, y]: Point): Point => [-y / 2 + 3, x / 2, 1]
    const entries = [0, 1, 2, 4].map((frame, i): [string, Point] => [
      names[i]!,
      other(frame === 4 ? [2, 2.4, 0] : way[frame]!),
    ])
    const figures = figuresOf(names, model(entries), truth)
    expect(figures).toMatchObject({
      pictures: 5,
      parallaxPictures: 4,
      registeredShare: 1,
      registeredShareAll: 0.8,
      coveredShare: 1,
    })
    expect(figures).toMatchObject({ points: 9, meanTrackLength: 4, reprojectionErrorPx: 0.7 })
    // Three agree exactly, so the error is that of the fourth alone: 0.4 m of 4 m, over four centres.
    expect(figures.registeredPositionError).toBeCloseTo(Math.sqrt(0.4 ** 2 / 4) / 4, 6)
    expect(figures.registeredPositionErrorMedian).toBeCloseTo(0, 6)
    // Frame 3 has no picture: between (2, 0) and (2, 2.4) it is taken to be at (2, 1.2), 0.2 m too far.
    expect(figures.positionError).toBeCloseTo(Math.sqrt((0.4 ** 2 + 0.2 ** 2) / 5) / 4, 6)
  })

  it('is measured on the part of the way that it has, and on the whole of it', () => {
    const entries = [0, 1, 2].map((frame): [string, Point] => [names[frame]!, frame === 1 ? [1, 0.1, 0] : way[frame]!])
    const figures = figuresOf(names, model(entries), truth)
    // Least squares over the three: what is left of 0.1 m is spread over 2 m of way.
    expect(figures.registeredPositionError).toBeGreaterThan(0.01)
    expect(figures.registeredPositionError).toBeLessThan(0.05)
    // Frames 3 and 4 are held at frame 2, 1 m and 2 m short.
    expect(figures.positionError).toBeGreaterThan(Math.sqrt((1 + 4) / 5) / 4 - 0.02)
  })

  it('does not count where it has a picture on the spot', () => {
    const entries = [0, 1, 2, 5].map((frame): [string, Point] => [
      `${frame}.jpg`,
      frame === 5 ? [90, 0, 0] : way[frame]!,
    ])
    expect(figuresOf(['0.jpg', '1.jpg', '2.jpg', '5.jpg'], model(entries), truth).registeredPositionError).toBeCloseTo(
      0,
      6,
    )
  })

  it('counts what is missing: pictures, and stretches without any', () => {
    const figures = figuresOf(names, model([[names[0]!, way[0]!]]), truth)
    expect(figures).toMatchObject({
      registeredShare: 0.25,
      registeredShareAll: 0.2,
      coveredShare: 0.4,
      positionError: null,
    })
  })

  it('is nothing where COLMAP made nothing', () => {
    const nothing = { registeredShare: 0, registeredShareAll: 0, coveredShare: 0, points: 0, positionError: null }
    expect(figuresOf(names, noModel, truth)).toMatchObject(nothing)
    expect(figuresOf([], noModel, truth)).toMatchObject({ ...nothing, pictures: 0 })
  })
})

describe('pictures chosen without looking', () => {
  it('lie in the middle of equal parts', () => {
    expect(evenFrames(4, 12)).toEqual([1, 4, 7, 10])
    expect(evenFrames(7, 3)).toEqual([0, 1, 2])
  })

  it('come as near to the wanted number as groups of one length allow', () => {
    expect(groupLength(60, 600)).toBe(10)
    // 46 groups of 13 or 43 of 14.
    expect([groupLength(45, 600), groupLength(44, 600)]).toEqual([13, 14])
    expect(groupLength(700, 600)).toBe(1)
  })
})
