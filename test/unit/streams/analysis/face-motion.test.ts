import { describe, expect, it } from 'vitest'
import type { Box } from '../../../../core/geometry.ts'
import {
  correctMotion,
  type FaceMotion,
  motionCost,
  predictMotion,
  startMotion,
} from '../../../../streams/analysis/face-motion.ts'

const box = (x: number, side = 40): Box => ({ x, y: 100, width: side, height: side })
/** Of a face of 40 px whose centre is known to `deviation` px, noise of the measurement (3.2 px) included. */
function known(deviation: number): FaceMotion {
  const positionVariance = deviation ** 2 - 3.2 ** 2
  const state = { velocity: 0, positionVariance, covariance: 0, velocityVariance: 0 }
  return { x: { ...state, position: 120 }, y: { ...state, position: 120 } }
}

describe('motion of a face', () => {
  it('costs the squared Mahalanobis distance and the logarithm of the area it is measured in', () => {
    // Ten px off at a deviation of 5: 4; the area is (5·5 / 40·40)².
    expect(motionCost(known(5), box(100), box(110))).toBeCloseTo(4 + 2 * Math.log(25 / 1600), 6)
    expect(motionCost(known(20), box(100), box(110))).toBeCloseTo(0.25 + 2 * Math.log(400 / 1600), 6)
  })

  it('is out of the question beyond 99.9 % of the true pairs, and for a face of another size', () => {
    expect(motionCost(known(10), box(100), box(100 + 37))).toBeLessThan(15)
    expect(motionCost(known(10), box(100), box(100 + 38))).toBe(Number.POSITIVE_INFINITY)
    expect(motionCost(known(10), box(100), box(86, 68))).toBeLessThan(15)
    expect(motionCost(known(10), box(100), box(85, 70))).toBe(Number.POSITIVE_INFINITY)
  })

  it('a face of no size is no defect', () => {
    const nothing = { x: 10, y: 10, width: 0, height: 0 }
    const motion = correctMotion(predictMotion(startMotion(nothing), nothing, 0.2), nothing)
    expect(Number.isFinite(motion.x.position)).toBe(true)
    expect(motionCost(motion, nothing, nothing)).not.toBeLessThan(Number.POSITIVE_INFINITY)
  })

  it('is the same at any scale: a face twice as large moves twice as far', () => {
    const cost = (scale: number) => {
      const at = (x: number): Box => ({ x: scale * x, y: 0, width: 40 * scale, height: 40 * scale })
      const seen = correctMotion(predictMotion(startMotion(at(0)), at(0), 0.2), at(20))
      return motionCost(predictMotion(seen, at(20), 0.2), at(20), at(30))
    }
    expect(cost(2)).toBeCloseTo(cost(1), 9)
  })
})
