/** ORB and matching: the same pattern, moved by a known way, is found again where it is. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LumaView } from '../../../../core/frame.ts'
import { matchFeatures } from '../../../../streams/analysis/second-pass/binary-features.ts'
import { candidatePairs } from '../../../../streams/analysis/second-pass/candidate-pairs.ts'
import { OrbDetector } from '../../../../streams/opencv/orb.ts'

const WIDTH = 320
const HEIGHT = 180

/** A wall of rectangles of random greys, seen from `atX`. */
function wall(seed: number, atX = 0): LumaView {
  const data = new Uint8Array(WIDTH * HEIGHT).fill(110)
  let state = seed
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  for (let n = 0; n < 1500; n++) {
    const [x, y, width, height, grey] = [
      random() * 2400,
      random() * HEIGHT,
      4 + random() * 22,
      4 + random() * 22,
      random() * 255,
    ]
    for (let row = Math.floor(y); row < Math.min(HEIGHT, y + height); row++) {
      const from = Math.max(0, Math.floor(x) - atX)
      const to = Math.min(WIDTH, Math.floor(x + width) - atX)
      if (to > from) data.fill(grey, row * WIDTH + from, row * WIDTH + to)
    }
  }
  return { data, width: WIDTH, height: HEIGHT, stride: WIDTH }
}

describe('ORB', () => {
  let detector: OrbDetector
  beforeAll(async () => {
    detector = await OrbDetector.open(300)
  })
  afterAll(() => detector[Symbol.dispose]())

  it('finds a wall again that has moved by 40 px', () => {
    const [a, b] = [detector.detect(wall(1)), detector.detect(wall(1, 40))]
    const matches = matchFeatures(a, b)
    const moved = Array.from({ length: matches.length / 2 }, (_, n) => [
      a.points[2 * matches[2 * n]!]! - b.points[2 * matches[2 * n + 1]!]!,
      a.points[2 * matches[2 * n]! + 1]! - b.points[2 * matches[2 * n + 1]! + 1]!,
    ])
    expect(moved.length).toBeGreaterThan(80)
    const right = moved.filter(([dx, dy]) => Math.abs(dx! - 40) < 1.5 && Math.abs(dy!) < 1.5)
    expect(right.length).toBeGreaterThan(0.9 * moved.length)
  })

  it('finds next to nothing of another wall of the same kind', () => {
    expect(matchFeatures(detector.detect(wall(1)), detector.detect(wall(2))).length / 2).toBeLessThan(15)
  })

  it('shares points out over the picture', () => {
    const { points } = detector.detect(wall(3))
    const corner = Array.from({ length: points.length / 2 }, (_, n) => n).filter((n) => points[2 * n]! < WIDTH / 2)
    expect(corner.length).toBeGreaterThan(0.35 * (points.length / 2))
    expect(points.length / 2).toBeLessThanOrEqual(300)
  })

  it('compares neighbours, and where the camera came back', () => {
    const way = [0, 120, 240, 360, 480, 600, 720, 840, 960, 1080, 5].map((atX) => detector.detect(wall(4, atX)))
    const pairs = candidatePairs(way)
    expect(pairs).toContainEqual([0, 1])
    expect(pairs).toContainEqual([0, 10])
    expect(pairs).not.toContainEqual([0, 9])
  })
})
