/** Which stretches become clips: joined, padded, grown, moved aside; never too many, too short, too long or overlapping. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chooseClips } from '../../../src/clips/choose-clips.ts'
import type { ClipLimits, Moment } from '../../../src/clips/moment.ts'

const limits: ClipLimits = { count: 5, minMs: 15_000, maxMs: 60_000, padMs: 2000, durationMs: 600_000 }

function moment(fromS: number, toS: number, weight = 0.5, what = `${fromS}–${toS}`): Moment {
  return { fromMs: fromS * 1000, toMs: toS * 1000, peakMs: ((fromS + toS) / 2) * 1000, weight, what }
}

const spans = (moments: Moment[], over: Partial<ClipLimits> = {}) =>
  chooseClips(moments, { ...limits, ...over }).map(({ fromMs, toMs }) => [fromMs / 1000, toMs / 1000])

describe('chooseClips', () => {
  it('makes nothing of nothing, and of a recording shorter than a clip', () => {
    expect(spans([])).toEqual([])
    expect(spans([moment(1, 5)], { durationMs: 14_999 })).toEqual([])
    expect(spans([moment(700, 705)])).toEqual([])
  })

  it('grows a moment to the least length around itself, and stays inside the recording', () => {
    expect(spans([moment(100, 105)])).toEqual([[95, 110]])
    expect(spans([moment(0, 1)])).toEqual([[0, 15]])
    expect(spans([moment(598, 599)])).toEqual([[585, 600]])
  })

  it('pads a moment that is long enough, and shows one that is too long around its best instant', () => {
    expect(spans([moment(100, 130)])).toEqual([[98, 132]])
    const long = { ...moment(100, 300), peakMs: 250_000 }
    expect(spans([long])).toEqual([[220, 280]])
    expect(spans([{ ...long, peakMs: 101_000 }])).toEqual([[98, 158]])
  })

  it('joins what is near while it fits, and names the weightiest of it', () => {
    const [clip, ...rest] = chooseClips([moment(100, 104, 0.2, 'weak'), moment(108, 112, 0.6, 'strong')], limits)
    expect(rest).toEqual([])
    expect(clip).toMatchObject({ fromMs: 98_000, toMs: 114_000, reason: 'strong, weak' })
    expect(clip?.weight).toBeCloseTo(1 - 0.8 * 0.4, 10)
    expect(spans([moment(100, 140), moment(146, 190)])).toEqual([
      [98, 142],
      [144, 192],
    ])
  })

  it('takes the heaviest when there are more than asked for, in order of time', () => {
    const many = [10, 100, 200, 300, 400, 500].map((s, i) => moment(s, s + 1, [0.9, 0.1, 0.8, 0.2, 0.7, 0.3][i]))
    expect(spans(many, { count: 3 }).map(([from]) => from)).toEqual([3, 193, 393])
    expect(spans(many, { count: 99 })).toHaveLength(5)
  })

  it('moves a lighter clip aside, or lets its neighbour take it in', () => {
    // Grown, the heavy one is 95–110; the light one would begin at 109.5 and is moved behind it.
    expect(spans([moment(100, 105, 0.9), moment(116, 118, 0.1)])).toEqual([
      [95, 110],
      [110, 125],
    ])
    // Between two heavy ones there is no room for 15 s.
    const between = [moment(100, 125, 0.9), moment(133, 134, 0.1), moment(142, 170, 0.9)]
    expect(spans(between)).toEqual([
      [98, 136],
      [140, 172],
    ])
  })

  it('keeps every rule for any moments, and does not depend on their order', () => {
    const anyMoment = fc.record({
      from: fc.nat(700),
      length: fc.nat(120),
      weight: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    fc.assert(
      fc.property(
        fc.array(anyMoment, { maxLength: 40 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 15, max: 60 }),
        (raw, count, min) => {
          const moments = raw.map(({ from, length, weight }) => moment(from, from + length, weight))
          const given = { ...limits, count, minMs: min * 1000 }
          const clips = chooseClips(moments, given)
          expect(clips.length).toBeLessThanOrEqual(count)
          if (moments.some(({ fromMs }) => fromMs < limits.durationMs)) expect(clips.length).toBeGreaterThan(0)
          for (const [i, { fromMs, toMs }] of clips.entries()) {
            expect(fromMs).toBeGreaterThanOrEqual(clips[i - 1]?.toMs ?? 0)
            expect(toMs).toBeLessThanOrEqual(limits.durationMs)
            expect(toMs - fromMs).toBeGreaterThanOrEqual(given.minMs - 1)
            expect(toMs - fromMs).toBeLessThanOrEqual(given.maxMs + 1)
          }
          expect(chooseClips(moments.toReversed(), given).map(({ fromMs, toMs }) => [fromMs, toMs])).toEqual(
            clips.map(({ fromMs, toMs }) => [fromMs, toMs]),
          )
        },
      ),
      { numRuns: 300 },
    )
  })
})
