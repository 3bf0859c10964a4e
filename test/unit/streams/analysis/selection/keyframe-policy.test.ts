import { describe, expect, it } from 'vitest'
import { progressOf, restAfterMs } from '../../../../../streams/analysis/selection/keyframe-policy.ts'
import { spec } from './candidates.ts'

const view = {
  ...{ flowRatio: 0.1, parallaxRatio: 0.001, overlapRatio: 0.9, tracks: 300, model: 'H' as const },
  ...{ continuityRatio: 1, turned: false },
}
const progress = (more: Partial<typeof view>) => progressOf({ ...view, ...more }, 0, spec)

describe('progressOf', () => {
  it('is 1 at the flow aimed at; a turn goes further', () => {
    expect(progress({})).toEqual({ ratio: 1, reason: 'parallax' })
    expect(progress({ turned: true })).toEqual({ ratio: expect.closeTo(1 / 1.5, 9), reason: 'rotation' })
  })

  it('is 1 as well where half of the points are lost', () => {
    expect(progress({ flowRatio: 0.05, overlapRatio: 0.5 })).toEqual({ ratio: 1, reason: 'overlap' })
  })
})

describe('restAfterMs', () => {
  it('spares a candidate that is due for as long again', () => {
    expect(restAfterMs(0.9)).toBe(5000)
    expect(restAfterMs(1)).toBe(10_000)
  })
})
