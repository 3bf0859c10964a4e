/** Records of candidates for tests of what becomes of them. */
import type { SelectionRecord } from '../../../actors/extract-job.ts'
import { type FrameMeasures, measureNames } from '../../../core/measures.ts'

export const measures = Object.fromEntries(measureNames.map((name, index) => [name, index])) as FrameMeasures

/** A candidate; a keyframe where `chosen`. */
export function record(seq: number, chosen: boolean): SelectionRecord {
  const candidate = {
    ...{ seq, ptsMs: 40 * seq, scene: 0, measures, view: null },
    score: { score: 0.5, parts: {}, faults: [] },
    saliency: { score: 0.5, parts: {} },
    ...{ chosen, reason: chosen ? ('parallax' as const) : ('near' as const), evidence: 'in a test' },
  }
  if (!chosen) return candidate
  const picture = { file: `${String(seq).padStart(8, '0')}.jpg`, width: 160, height: 90, pixelHash: 'ab', links: [] }
  return { ...candidate, chosen: true, ...picture }
}
