/**
 * What goes into the selection of keyframes and what comes out of it. Types only.
 */
import type { LumaView } from '../../../core/frame.ts'
import type { FrameRecord, KeyframeRecord, PictureScore, Saliency } from '../../../core/keyframe.ts'
import type { FrameMeasures } from '../../../core/measures.ts'

export interface KeyframeCandidate {
  seq: number
  /** Relative media time; grows from candidate to candidate. */
  ptsMs: number
  /** Number of the shot as the caller knows it; when it grows, a new sequence begins. 0 for ever where nobody knows. */
  scene: number
  /** Of the analysis picture; valid during `step` only. Always of one size. */
  luma: LumaView
  measures: FrameMeasures
  score: PictureScore
  saliency: Saliency
  /** Somebody outside asked for a keyframe now: this one is taken, with reason `trigger`. */
  wanted?: boolean
}

/** A decided candidate; a chosen one tells what it shares with earlier keyframes. */
export type DecidedFrame = FrameRecord | ChosenFrame
export interface ChosenFrame extends FrameRecord, Pick<KeyframeRecord, 'links'> {
  chosen: true
}

/**
 * What one candidate led to. In this order: `hold` concerns the candidate itself, `keep` and `forget` those held, itself included.
 * Every candidate gets one record, in the order in which they are decided, which is not always that of seq.
 */
export interface SelectionStep {
  records: readonly DecidedFrame[]
  /** This one is the best of its window so far: encode it now, keep what was encoded. At most two are held at a time. */
  hold: boolean
  /** seqs of held candidates that became keyframes: publish them. Their records are in `records`. */
  keep: readonly number[]
  /** seqs of held candidates that lost: delete them. */
  forget: readonly number[]
}
