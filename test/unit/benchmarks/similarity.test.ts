import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { errorsOf, leastSquares, type Point, robustSimilarity } from '../../../script/benchmarks/similarity.ts'

interface Case {
  name: string
  from: Point[]
  to: Point[]
  scale: number
  rotation: number[] | null
  errors: number[]
}

const file = join(import.meta.dirname, '../../fixtures/similarity/similarity.json')
const cases = JSON.parse(readFileSync(file, 'utf8')) as Case[]
const near = (values: readonly number[], digits = 7) => values.map((value) => expect.closeTo(value, digits))

describe('the similarity by least squares', () => {
  it.each(cases)('is the one of Umeyama by singular values: $name', ({ from, to, scale, rotation, errors }) => {
    const found = leastSquares(from, to)!
    expect(found.scale).toBeCloseTo(scale, 8)
    if (rotation) expect(found.rotation).toEqual(near(rotation))
    expect(errorsOf(found, from, to)).toEqual(near(errors, 6))
  })

  it('is undefined of too few centres, and of centres on one spot', () => {
    const spot: Point = [1, 2, 3]
    expect(leastSquares([spot, [0, 0, 0]], [spot, [0, 0, 0]])).toBeUndefined()
    expect(leastSquares([spot, spot, spot], cases[0]!.to.slice(0, 3))).toBeUndefined()
  })
})

describe('the robust similarity', () => {
  const { from, to } = cases[0]!
  const wrong: Point[] = [
    [40, -30, 20],
    [-35, 28, 60],
    [50, 50, -50],
  ]

  it('is not moved by a quarter of plainly wrong centres', () => {
    const clean = leastSquares(from, to)!
    const spoilt: Point[] = [...to.slice(0, -3), ...wrong]
    const robust = robustSimilarity(from, spoilt)!
    const alone = leastSquares(from.slice(0, -3), to.slice(0, -3))!
    expect(robust.rotation).toEqual(near(alone.rotation, 1))
    expect(robust.scale / clean.scale).toBeCloseTo(1, 1)
    expect(leastSquares(from, spoilt)!.scale / clean.scale).not.toBeCloseTo(1, 1)
    const errors = errorsOf(robust, from, spoilt)
    expect(Math.max(...errors.slice(0, -3))).toBeLessThan(0.3)
    expect(Math.min(...errors.slice(-3))).toBeGreaterThan(20)
  })

  it('is the same every time', () => {
    expect(robustSimilarity(from, to)).toEqual(robustSimilarity(from, to))
  })
})
