import { describe, expect, it } from 'vitest'
import type { KeyframeRecord } from '../../../../../core/keyframe.ts'
import type { FrameMeasures } from '../../../../../core/measures.ts'
import { thin } from '../../../../../streams/analysis/selection/thin.ts'

/** Pictures that look at stretches of a line, 300 points to the unit; `at` is where each begins. */
function walk(at: readonly number[], more: (i: number) => Partial<KeyframeRecord> = () => ({})): KeyframeRecord[] {
  const own = at.map((_, i) => more(i))
  return at.map((x, i) => {
    const links = at
      .map((other, k) => [10 * k, Math.max(0, Math.round(300 * (1 - Math.abs(x - other))))] as const)
      .filter(([, shared], k) => k < i && k >= i - 16 && shared > 0 && (own[k]!.scene ?? 0) === (own[i]!.scene ?? 0))
      .reverse()
    return {
      seq: 10 * i,
      ptsMs: 333 * i,
      scene: 0,
      measures: {} as FrameMeasures,
      score: { score: 0.8, parts: {}, faults: [] },
      saliency: { score: 0.5, parts: {} },
      view: null,
      chosen: true,
      reason: 'parallax',
      evidence: '',
      file: `${i}.jpg`,
      width: 640,
      height: 360,
      pixelHash: '',
      links,
      ...own[i],
    }
  })
}
const indices = (records: readonly KeyframeRecord[]) => records.map(({ seq }) => seq / 10)

describe('thin', () => {
  it('leaves few enough alone, and none of none', () => {
    const records = walk([0, 0.2, 0.4])
    expect(thin(records, 3)).toEqual(records)
    expect(thin(records, 9)).toEqual(records)
    expect(thin(records, 0)).toEqual([])
    expect(thin([], 5)).toEqual([])
  })

  it('spreads them over what they show, not over time', () => {
    // Ten slow pictures and ten fast ones: half of the time shows a tenth of the way.
    const slow = Array.from({ length: 10 }, (_, i) => 0.05 * i)
    const fast = Array.from({ length: 10 }, (_, i) => 0.45 + 0.4 * (i + 1))
    const kept = indices(thin(walk([...slow, ...fast]), 12))
    expect(kept.filter((i) => i < 10).length).toBeLessThanOrEqual(3)
    expect(kept.slice(-10)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19])
  })

  it('thins an even walk evenly', () => {
    const kept = indices(thin(walk(Array.from({ length: 21 }, (_, i) => 0.1 * i)), 11))
    expect(Math.max(...kept.slice(1).map((k, i) => k - kept[i]!))).toBeLessThanOrEqual(3)
    expect([kept[0], kept.at(-1)]).toEqual([0, 20])
  })

  it('does not break the chain while anything else can go', () => {
    // Picture 5 alone connects two stretches that share nothing without it.
    const at = [0, 0.1, 0.2, 0.3, 0.4, 1.0, 1.6, 1.7, 1.8, 1.9]
    expect(indices(thin(walk(at), 5))).toContain(5)
    expect(indices(thin(walk(at), 5))).toEqual(expect.arrayContaining([4, 5, 6]))
  })

  it('keeps a picture of each scene, and the good one of two alike', () => {
    const scenes = walk([0, 0.1, 0.2, 0, 0, 0.1], (i) => ({ scene: [0, 0, 0, 1, 2, 2][i]! }))
    expect(thin(scenes, 3).map(({ scene }) => scene)).toEqual([0, 1, 2])
    const poor = walk([0, 0.1, 0.2, 0.3], (i) => ({ score: { score: i === 1 ? 0.1 : 0.9, parts: {}, faults: [] } }))
    expect(indices(thin(poor, 3))).toEqual([0, 2, 3])
  })

  it('thins beyond the reach of the records', () => {
    const kept = indices(thin(walk(Array.from({ length: 200 }, (_, i) => 0.02 * i)), 8))
    expect(kept.length).toBe(8)
    expect(Math.max(...kept.slice(1).map((k, i) => k - kept[i]!))).toBeLessThan(60)
  })
})
