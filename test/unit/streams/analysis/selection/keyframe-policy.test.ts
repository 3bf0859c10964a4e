import { describe, expect, it } from 'vitest'
import { progressOf, restAfterMs } from '../../../../../streams/analysis/selection/keyframe-policy.ts'
import { spec } from './candidates.ts'

const view = {
  ...{ flowRatio: 0.1, parallaxRatio: 0.001, overlapRatio: 0.9, tracks: 300, model: 'H' as const },
  ...{ continuityRatio: 1, turned: false },
}
const progress = (more: Partial<typeof view>, sharpness: number) => progressOf({ ...view, ...more }, sharpness, 0, spec)

describe('progressOf', () => {
  it('is 1 at the flow aimed at', () => {
    expect(progress({}, 1)).toEqual({ ratio: 1, reason: 'parallax' })
    expect(progress({}, 1.3).ratio).toBe(1)
  })

  it('asks for a way as much longer as a picture is less sharp, but not for more than twice', () => {
    expect(progress({}, 0.8).ratio).toBeCloseTo(0.8, 9)
    expect(progress({}, 0.5).ratio).toBeCloseTo(0.5, 9)
    expect(progress({}, 0.4).ratio).toBeCloseTo(0.5, 9)
  })

  it('does not stretch the way of a turn that blurs twice over', () => {
    expect(progress({ turned: true }, 0.5)).toEqual({ ratio: 0.5, reason: 'rotation' })
    expect(progress({ turned: true }, 1).ratio).toBeCloseTo(1 / 1.5, 9)
  })

  it('lets lost points end it, however blurred', () => {
    expect(progress({ overlapRatio: 0.5 }, 0.5)).toEqual({ ratio: 1, reason: 'overlap' })
  })
})

describe('restAfterMs', () => {
  it('spares a candidate that is due for as long again', () => {
    expect(restAfterMs(0.9)).toBe(5000)
    expect(restAfterMs(1)).toBe(10_000)
  })
})
