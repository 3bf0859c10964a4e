import { describe, expect, it } from 'vitest'
import type { Flow } from '../../../../../streams/analysis/selection/lucas-kanade.ts'
import { stepMotion } from '../../../../../streams/analysis/shots/step-motion.ts'
import { randomOf } from '../../../../support/seeded-random.ts'

const size = { width: 640, height: 360 }
const DIAGONAL = Math.hypot(640, 360)
const COUNT = 200

type Move = (x: number, y: number, n: number) => readonly [number, number] | null

/** Points all over the picture; `null`: not found again. */
function moved(move: Move) {
  const random = randomOf(9)
  const points = { x: new Float64Array(COUNT), y: new Float64Array(COUNT), count: COUNT }
  const flow: Flow = { x: new Float64Array(COUNT), y: new Float64Array(COUNT), ok: new Uint8Array(COUNT) }
  for (let n = 0; n < COUNT; n++) {
    points.x[n] = 640 * random()
    points.y[n] = 360 * random()
    const to = move(points.x[n]!, points.y[n]!, n)
    flow.ok[n] = to ? 1 : 0
    flow.x[n] = points.x[n]! + (to?.[0] ?? 0)
    flow.y[n] = points.y[n]! + (to?.[1] ?? 0)
  }
  return stepMotion(points, flow, size)
}

describe('stepMotion', () => {
  it('a shift is that shift, in one direction', () => {
    const motion = moved(() => [30, -40])!
    expect(motion.dx * DIAGONAL).toBeCloseTo(30, 6)
    expect(motion.dy * DIAGONAL).toBeCloseTo(-40, 6)
    expect(motion.flow * DIAGONAL).toBeCloseTo(50, 6)
    // −y is up: between −x (4) and +x (0) lies octant 7, of 30 and −40.
    expect(motion.directions.map((each) => Math.round(each * DIAGONAL))).toEqual([0, 0, 0, 0, 0, 0, 0, 50])
    expect(motion.unexplained).toBe(0)
  })

  it('a turn and a zoom are motion in all directions that a model explains; the centre stays', () => {
    const motion = moved((x, y) => [0.05 * (x - 320) - 0.1 * (y - 180), 0.1 * (x - 320) + 0.05 * (y - 180)])!
    expect(Math.hypot(motion.dx, motion.dy)).toBeLessThan(1e-9)
    expect(motion.flow * DIAGONAL).toBeGreaterThan(15)
    expect(Math.min(...motion.directions)).toBeGreaterThan(0)
    expect(motion.unexplained).toBe(0)
  })

  it('what moves by itself is told by its share, and does not pull the camera along', () => {
    const motion = moved((_x, _y, n) => (n % 10 < 3 ? [-25, 10] : [4, 0]))!
    expect([motion.dx * DIAGONAL, motion.dy * DIAGONAL]).toEqual([expect.closeTo(4, 3), expect.closeTo(0, 3)])
    expect(motion.unexplained).toBeCloseTo(0.3, 6)
  })

  it('points lost within the picture are not explained; those that left it are', () => {
    const lost = moved((x) => (x < 200 && x > 100 ? null : [1, 0]))!
    const left = moved((x) => (x < 100 ? null : [-120, 0]))!
    expect(lost.unexplained).toBeGreaterThan(0.1)
    expect(left.unexplained).toBe(0)
  })

  it('noise of tracking has no direction and is nobody’s motion', () => {
    const random = randomOf(4)
    const motion = moved(() => [0.3 * (random() - 0.5), 0.3 * (random() - 0.5)])!
    expect(motion.directions).toEqual(new Array(8).fill(0))
    expect([motion.unexplained, motion.flow < 0.0002]).toEqual([0, true])
  })

  it('a handful of points says nothing; points on a line say the shift', () => {
    expect(moved((_x, _y, n) => (n < 11 ? [1, 1] : null))).toBeNull()
    const points = {
      x: Float64Array.from({ length: 20 }, (_, n) => 30 * n),
      y: new Float64Array(20).fill(50),
      count: 20,
    }
    const flow = { x: points.x.map((x) => x + 5), y: points.y.slice(), ok: new Uint8Array(20).fill(1) }
    const motion = stepMotion(points, flow, size)!
    expect([motion.dx * DIAGONAL, motion.dy]).toEqual([expect.closeTo(5, 6), expect.closeTo(0, 6)])
  })
})
