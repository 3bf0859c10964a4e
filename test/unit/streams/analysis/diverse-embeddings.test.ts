import fc from 'fast-check'
import { expect, it } from 'vitest'
import { chord, diverseEmbeddings } from '../../../../streams/analysis/diverse-embeddings.ts'
import { faceAt } from '../../enrolment/faces.ts'

const at = (...degrees: number[]) => degrees.map((each) => faceAt(each).embedding)
const unit = fc
  .array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 })
  .filter((values) => Math.hypot(...values) > 0.1)
  .map((values) => Float32Array.from(values, (value) => value / Math.hypot(...values)))

/** The farthest that one of them is from its nearest kept one. */
const radius = (all: Float32Array[], kept: number[]) =>
  Math.max(...all.map((each) => Math.min(...kept.map((index) => chord(each, all[index]!)))))

/** Every choice of `k` out of `n`. */
function choices(n: number, k: number, from = 0): number[][] {
  if (k === 0) return [[]]
  return Array.from({ length: Math.max(0, n - from - k + 1) }, (_, i) => from + i).flatMap((first) =>
    choices(n, k - 1, first + 1).map((rest) => [first, ...rest]),
  )
}

it('leaves nothing farther away than twice what the best choice could', () => {
  fc.assert(
    fc.property(fc.array(unit, { minLength: 1, maxLength: 9 }), fc.integer({ min: 1, max: 5 }), (all, limit) => {
      const kept = diverseEmbeddings(all, limit)
      expect(kept.length).toBeLessThanOrEqual(limit)
      const best = Math.min(...choices(all.length, Math.min(limit, all.length)).map((each) => radius(all, each)))
      // Float32 embeddings are of length 1 to 1e-7, and the chord takes a root of that.
      expect(radius(all, kept)).toBeLessThanOrEqual(2 * best + 1e-3)
    }),
  )
})

it('keeps all of few, in their order', () => {
  expect(diverseEmbeddings(at(0, 0, 5), 3)).toEqual([0, 1, 2])
  expect(diverseEmbeddings([], 3)).toEqual([])
})

it('keeps the best or else the most typical, and then the farthest', () => {
  const all = at(0, 5, 10, 80, 12)
  expect(diverseEmbeddings(all, 2, [0.1, 0.2, 0.3, 0.2, 0.9])).toEqual([3, 4])
  expect(diverseEmbeddings(all, 2, [0.9, 0.2, 0.3, 0.2, 0.1])).toEqual([0, 3])
  expect(diverseEmbeddings(at(0, 5, 10, 12, 15), 1)).toEqual([2])
})

it('does not keep the same twice', () => {
  expect(diverseEmbeddings(at(0, 0, 0, 90), 3)).toEqual([0, 3])
})
