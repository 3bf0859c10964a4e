import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assign } from '../../../../streams/analysis/assignment.ts'

/** The least total of all assignments, tried one by one. */
function leastTotal(costs: number[][], none: number, row = 0, taken: ReadonlySet<number> = new Set()): number {
  if (row === costs.length) return 0
  let least = none + leastTotal(costs, none, row + 1, taken)
  for (const [column, cost] of costs[row]!.entries()) {
    if (taken.has(column) || cost === Number.POSITIVE_INFINITY) continue
    least = Math.min(least, cost + leastTotal(costs, none, row + 1, new Set([...taken, column])))
  }
  return least
}

const total = (costs: number[][], none: number, assigned: (number | undefined)[]) =>
  assigned.reduce<number>((sum, column, row) => sum + (column === undefined ? none : costs[row]![column]!), 0)

describe('assign', () => {
  it('takes the pairs of least total, where the best pair first would cost more', () => {
    expect(
      assign(
        [
          [1, 2],
          [2, 9],
        ],
        100,
      ),
    ).toEqual([1, 0])
  })

  it('leaves a row alone that would cost more than `none`, and never makes a forbidden pair', () => {
    const never = Number.POSITIVE_INFINITY
    expect(assign([[5], [7]], 6)).toEqual([0, undefined])
    expect(
      assign(
        [
          [never, 3],
          [never, 2],
        ],
        10,
      ),
    ).toEqual([undefined, 1])
    expect(assign([[7]], 6)).toEqual([undefined])
    expect(assign([[], []], 1)).toEqual([undefined, undefined])
    expect(assign([], 1)).toEqual([])
  })

  it('costs as little as any assignment, uses a column once, and answers the same again', () => {
    const cost = fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: -20, max: 40 }) },
      fc.constant(Number.POSITIVE_INFINITY),
    )
    const matrix = fc
      .tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 }))
      .chain(([rows, columns]) =>
        fc.array(fc.array(cost, { minLength: columns, maxLength: columns }), { minLength: rows, maxLength: rows }),
      )
    fc.assert(
      fc.property(matrix, fc.integer({ min: 0, max: 30 }), (costs, none) => {
        const assigned = assign(costs, none)
        const used = assigned.filter((column) => column !== undefined)
        expect(new Set(used).size).toBe(used.length)
        expect(total(costs, none, assigned)).toBe(leastTotal(costs, none))
        expect(assign(costs, none)).toEqual(assigned)
      }),
      { numRuns: 500 },
    )
  })
})
