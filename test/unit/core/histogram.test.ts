import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DurationSketch } from '../../../core/histogram.ts'

/** The sketch's promise; the last digits are rounding. */
const RELATIVE_ERROR = 0.025 + 1e-9

function exactQuantile(values: number[], q: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor(q * (values.length - 1))]!
}

test('quantiles lie within 2.5 % of the exact ones, from 1 µs to 10 min', () => {
  const durations = fc.array(
    fc.double({ min: Math.log(0.0011), max: Math.log(600_000), noNaN: true }).map((x) => Math.exp(x)),
    { minLength: 1, maxLength: 300 },
  )
  fc.assert(
    fc.property(durations, fc.constantFrom(0, 0.5, 0.95, 0.99, 1), (values, q) => {
      const sketch = new DurationSketch()
      for (const value of values) sketch.add(value)
      const exact = exactQuantile(values, q)
      expect(sketch.count).toBe(values.length)
      expect(Math.abs(sketch.quantile(q) - exact) / exact).toBeLessThanOrEqual(RELATIVE_ERROR)
    }),
  )
})

test('an empty sketch says 0, and what is out of range lands at the ends', () => {
  const sketch = new DurationSketch()
  expect(sketch.quantile(0.5)).toBe(0)
  sketch.add(0)
  expect(sketch.quantile(0.5)).toBe(0.001)
  sketch.add(1e12)
  expect(sketch.quantile(1)).toBeGreaterThan(600_000)
})
