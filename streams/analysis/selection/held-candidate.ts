/**
 * The candidate that is held, and the records that selection writes. Pure.
 */
import type { FrameRecord, SelectionReason, ViewChange } from '../../../core/keyframe.ts'
import type { Worth } from './candidate-worth.ts'
import type { ChosenFrame, KeyframeCandidate } from './selection-words.ts'
import { REMEMBERED_KEYFRAMES, type TrackTable } from './track-table.ts'
import type { KeyView } from './view-change.ts'

/** A candidate that may become a keyframe: encoded already, its picture given back. */
export interface HeldCandidate {
  record: FrameRecord
  value: number
  poor: boolean
  /** See keyframe-policy.ts. */
  progress: number
  /** What it shows, should it become a keyframe. */
  key: KeyView
  links: readonly (readonly [seq: number, tracks: number])[]
}

/** `tracks` are where the candidate shows them, and from now on remember it. `keySeqs`: keyframes, newest first. */
export function holdCandidate(
  record: FrameRecord,
  worth: Worth,
  value: number,
  progress: number,
  tracks: TrackTable,
  keySeqs: readonly number[],
): HeldCandidate {
  tracks.hold()
  const shared = new Array<number>(REMEMBERED_KEYFRAMES).fill(0)
  let twice = 0
  for (let i = 0; i < tracks.count; i++) {
    if (tracks.sightings[i]! >= 1) twice++
    for (let k = 0, bits = tracks.seen[i]!; bits !== 0; k++, bits >>= 1) if (bits & 1) shared[k] = shared[k]! + 1
  }
  const links = keySeqs.map((seq, k) => [seq, shared[k]!] as const).filter(([, count]) => count > 0)
  return { record, value, poor: worth.poor, progress, key: { tracks: tracks.count, twice }, links }
}

export function recordOf(
  candidate: KeyframeCandidate,
  scene: number,
  view: ViewChange | null,
  reason: SelectionReason,
  evidence: string,
): FrameRecord {
  const { seq, ptsMs, measures, score, saliency } = candidate
  return { seq, ptsMs, scene, measures, score, saliency, view, chosen: false, reason, evidence }
}

export function chosenRecord(held: HeldCandidate, reason: SelectionReason, evidence: string): ChosenFrame {
  return { ...held.record, chosen: true, reason, evidence, links: held.links }
}
