import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  detCurve,
  equalErrorRate,
  falseMatches,
  falseNonMatches,
  identificationRate,
  thresholdAbove,
  thresholdFor,
} from '../../../src/calibration/error-rates.ts'

const scores = fc
  .array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 60 })
  .map((values) => values.toSorted((a, b) => a - b))
const threshold = fc.double({ min: -1.1, max: 1.1, noNaN: true })

describe('rates', () => {
  it('count: a score at the threshold matches', () => {
    expect([falseMatches([0.1, 0.5, 0.5, 0.9], 0.5), falseNonMatches([0.1, 0.5, 0.5, 0.9], 0.5)]).toEqual([3, 1])
    fc.assert(
      fc.property(scores, threshold, (sorted, t) => {
        expect(falseMatches(sorted, t)).toBe(sorted.filter((score) => score >= t).length)
        expect(falseNonMatches(sorted, t)).toBe(sorted.filter((score) => score < t).length)
      }),
    )
  })

  it('at the threshold for a rate stay within it, and one step lower do not', () => {
    fc.assert(
      fc.property(scores, fc.double({ min: 0.001, max: 0.999, noNaN: true }), (sorted, wanted) => {
        const found = thresholdFor(sorted, wanted)
        expect(falseMatches(sorted, found) / sorted.length).toBeLessThanOrEqual(wanted * (1 + 1e-9))
        expect(falseMatches(sorted, found - 1.01e-4) / sorted.length).toBeGreaterThan(wanted)
      }),
    )
  })

  it('have thresholds of four digits, above the score', () => {
    expect([thresholdAbove(0.12341), thresholdAbove(0.5), thresholdAbove(-0.00005)]).toEqual([0.1235, 0.5001, 0])
    fc.assert(
      fc.property(threshold, (score) => {
        expect(thresholdAbove(score)).toBeGreaterThan(score)
        expect(thresholdAbove(score) - score).toBeLessThan(2.001e-4)
      }),
    )
  })
})

describe('equalErrorRate', () => {
  it('is 0 where the distributions do not meet, and a half where they are the same', () => {
    expect(equalErrorRate([0.6, 0.7], [0.1, 0.2])).toEqual({ rate: 0, threshold: 0.6 })
    expect(equalErrorRate([0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 0.4])).toEqual({ rate: 0.5, threshold: 0.3 })
  })

  it('is where both are equal', () => {
    expect(equalErrorRate([0.3, 0.6, 0.7, 0.8], [0.1, 0.2, 0.4, 0.5])).toEqual({ rate: 0.25, threshold: 0.5 })
  })
})

it('a DET curve trades one for the other, from all matching to none', () => {
  fc.assert(
    fc.property(scores, scores, (genuine, impostor) => {
      const curve = detCurve(genuine, impostor)
      expect([curve[0]!.fmr, curve[0]!.fnmr]).toEqual([1, 0])
      for (const [index, point] of curve.slice(1).entries()) {
        expect(point.fmr).toBeLessThanOrEqual(curve[index]!.fmr)
        expect(point.fnmr).toBeGreaterThanOrEqual(curve[index]!.fnmr)
      }
      expect(curve.at(-1)!.fmr).toBeLessThan(1.0001)
    }),
  )
})

it('identification errors grow with the gallery', () => {
  expect(identificationRate(0.001, 1)).toBeCloseTo(0.001, 12)
  expect(identificationRate(0.001, 1000)).toBeCloseTo(1 - 0.999 ** 1000, 12)
  expect([identificationRate(0, 1000), identificationRate(1, 5)]).toEqual([0, 1])
  expect(identificationRate(1e-18, 1000)).toBeCloseTo(1e-15, 20)
})
