import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { correctKalman, type KalmanState, predictKalman, startKalman } from '../../../../streams/analysis/kalman.ts'

const SPEED = 240

/** Relative, or absolute near zero. */
function expectNear(state: KalmanState, expected: KalmanState, tolerance: number): void {
  for (const key of Object.keys(expected) as (keyof KalmanState)[]) {
    const error = Math.abs(state[key] - expected[key]) / Math.max(1, Math.abs(expected[key]))
    expect(error, `${key}: ${state[key]} for ${expected[key]}`).toBeLessThan(tolerance)
  }
}

describe('Kalman filter of a coordinate', () => {
  it('agrees with the covariance equation dP/dt = AP + PAᵀ + Q, integrated in steps of a microsecond (by a script in Python)', () => {
    const first = predictKalman(startKalman(100, 3.2, SPEED), 0.2, SPEED)
    expectNear(
      first,
      { position: 100, velocity: 0, positionVariance: 2168.01, covariance: 10441.11, velocityVariance: 57600 },
      1e-4,
    )
    const second = correctKalman(first, 130, 3.2)
    const expected = { position: 129.859, velocity: 143.8, positionVariance: 10.1919 }
    expectNear(second, { ...expected, covariance: 49.0838, velocityVariance: 7552.17 }, 1e-3)
    const third = { position: 186.44, velocity: 87.2192, positionVariance: 4572.8 }
    const rest = { covariance: 10749.62, velocityVariance: 39188.48 }
    expectNear(predictKalman(second, 0.5, SPEED), { ...third, ...rest }, 1e-3)
  })

  it('two steps in a row are one step: the rate of frames does not matter', () => {
    const seconds = fc.double({ min: 0.001, max: 3, noNaN: true })
    fc.assert(
      fc.property(seconds, seconds, fc.double({ min: -500, max: 500, noNaN: true }), (a, b, position) => {
        const seen = correctKalman(predictKalman(startKalman(0, 3, SPEED), 0.2, SPEED), position, 3)
        const twice = predictKalman(predictKalman(seen, a, SPEED), b, SPEED)
        expectNear(predictKalman(seen, a + b, SPEED), twice, 1e-9)
      }),
    )
  })

  it('learns a steady velocity at 5 and at 30 looks a second, and lets go of it when nothing is seen', () => {
    for (const fps of [5, 30]) {
      let state = startKalman(0, 3, SPEED)
      for (let i = 1; i <= 3 * fps; i++) state = correctKalman(predictKalman(state, 1 / fps, SPEED), (100 * i) / fps, 3)
      expect(state.velocity).toBeGreaterThan(75)
      expect(state.velocity).toBeLessThan(105)
      expect(Math.abs(state.position - 300)).toBeLessThan(3)
      const lost = predictKalman(state, 10, SPEED)
      expect(lost.position - state.position).toBeLessThan(110)
      expect(Math.sqrt(lost.velocityVariance)).toBeCloseTo(SPEED, 0)
    }
  })
})
