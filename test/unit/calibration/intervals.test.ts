import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clopperPearson } from '../../../src/calibration/binomial-interval.ts'
import { bootstrapRate, bootstrapThreshold, quantile } from '../../../src/calibration/bootstrap.ts'
import type { Scores } from '../../../src/calibration/comparisons.ts'

describe('clopperPearson', () => {
  // Published tables, and (1 − p)^n = 0.025 where there is no error.
  it.each([
    [0, 100, 0, 1 - 0.025 ** (1 / 100)],
    [100, 100, 0.025 ** (1 / 100), 1],
    [1, 10, 0.002529, 0.445016],
    [5, 10, 0.187086, 0.812914],
    [2, 20, 0.012349, 0.316983],
  ])('%i of %i', (k, n, low, high) => {
    expect(clopperPearson(k, n)).toEqual({ low: expect.closeTo(low, 6), high: expect.closeTo(high, 6) })
  })

  it('is near the rule of three when there is no error, up to a million', () => {
    for (const n of [1e3, 1e6]) expect(clopperPearson(0, n).high * n).toBeCloseTo(3.689, 1)
  })

  it('holds the rate, is symmetric, and shrinks as trials grow', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, share) => {
        const k = Math.round(share * n)
        const { low, high } = clopperPearson(k, n)
        expect(low).toBeLessThanOrEqual(k / n)
        expect(high).toBeGreaterThanOrEqual(k / n)
        expect(clopperPearson(n - k, n).high).toBeCloseTo(1 - low, 9)
        const more = clopperPearson(4 * k, 4 * n)
        expect(more.high - more.low).toBeLessThan(high - low)
      }),
    )
  })
})

/** `errors` of ten comparisons of each person with themselves. */
function genuineOf(errors: number[]): Scores {
  const scores: Scores = { values: [], a: [], b: [] }
  for (const [person, wrong] of errors.entries()) {
    for (let i = 0; i < 10; i++) {
      scores.values.push(i < wrong ? 0 : 1)
      scores.a.push(person)
      scores.b.push(person)
    }
  }
  return scores
}
const isError = (score: number) => score < 0.5

describe('drawing people again', () => {
  it('gives a wide interval when one person makes all the errors, a narrow one when all make as many', () => {
    const one = bootstrapRate(genuineOf([10, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 10, isError)!
    expect(one.low).toBe(0)
    expect(one.high).toBeGreaterThan(0.25)
    const { low, high } = bootstrapRate(genuineOf(Array.from({ length: 10 }, () => 1)), 10, isError)!
    expect([low, high]).toEqual([0.1, 0.1])
    // Independent comparisons would say the same of both.
    expect(one.high).toBeGreaterThan(clopperPearson(10, 100).high)
  })

  it('gives the same again, and nothing for fewer than five people', () => {
    const scores = genuineOf([3, 1, 4, 1, 5])
    expect(bootstrapRate(scores, 5, isError)).toEqual(bootstrapRate(scores, 5, isError))
    expect(bootstrapRate(genuineOf([3, 1, 4, 1]), 9, isError)).toBeNull()
  })

  it('gives an interval around a threshold', () => {
    const scores: Scores = { values: [], a: [], b: [] }
    for (let a = 0; a < 8; a++) {
      for (let b = 0; b < 8; b++) {
        if (a === b) continue
        scores.values.push((((a * 8 + b) * 37) % 64) / 100)
        scores.a.push(a)
        scores.b.push(b)
      }
    }
    const { low, high } = bootstrapThreshold(scores, 8, 0.1)!
    expect(low).toBeLessThan(0.58)
    expect(high).toBeGreaterThan(0.58)
    expect(high).toBeLessThan(0.65)
  })
})

it('quantiles stand linearly between', () => {
  expect([0, 0.25, 0.5, 1].map((p) => quantile([1, 2, 4], p))).toEqual([1, 1.5, 2, 4])
})
