import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Backoff } from '../../../actors/kernel/backoff.ts'

const spec = { minMs: 1000, maxMs: 60_000, factor: 2, jitterRatio: 0.2 }

test('grows from minMs by the factor, up to the ceiling, and starts anew after a reset', () => {
  const backoff = new Backoff(spec, () => 0)
  const delays = Array.from({ length: 8 }, () => backoff.nextMs())
  expect(delays).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 50_000, 50_000])
  expect(backoff.attempt).toBe(8)
  backoff.reset()
  expect(backoff.attempt).toBe(0)
  expect(backoff.nextMs()).toBe(1000)
})

test('at the ceiling delays are still spread out', () => {
  const random = [0, 0.5, 0.999]
  const backoff = new Backoff({ ...spec, minMs: 60_000 / 1.2 }, () => random.shift() ?? 0)
  expect([backoff.nextMs(), backoff.nextMs(), backoff.nextMs()].map(Math.round)).toEqual([50_000, 55_000, 59_990])
})

test('every delay lies within minMs and maxMs, however long it goes on', () => {
  const specs = fc.record({
    minMs: fc.integer({ min: 1, max: 1000 }),
    maxMs: fc.integer({ min: 1000, max: 100_000 }),
    factor: fc.double({ min: 1, max: 10, noNaN: true }),
    jitterRatio: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  fc.assert(
    fc.property(specs, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (drawn, r) => {
      const backoff = new Backoff(drawn, () => r)
      for (let i = 0; i < 2000; i++) {
        const delayMs = backoff.nextMs()
        if (!(delayMs >= drawn.minMs && delayMs <= drawn.maxMs)) return false
      }
      return true
    }),
  )
})

test.each([
  { minMs: -1 },
  { minMs: 0 },
  { maxMs: 10 },
  { maxMs: Number.POSITIVE_INFINITY },
  { factor: 0.5 },
  { jitterRatio: 2 },
  { minMs: Number.NaN },
])('refuses %j', (wrong) => {
  expect(() => new Backoff({ ...spec, ...wrong })).toThrow(/backoff\./)
})
