/**
 * What a selector knows between two candidates, as it is saved, and the step it is writing. Types and an empty one.
 */
import type { SelectionReason } from '../../../core/keyframe.ts'
import type { WorthState } from './candidate-worth.ts'
import type { TrackerState } from './feature-tracker.ts'
import type { DecidedFrame, SelectionStep } from './selection-words.ts'
import type { JudgedView, KeyView } from './view-change.ts'

/** JSON; nobody but the selector reads it. */
export interface SelectorState {
  version: 1
  scene: number
  sourceScene: number
  ptsMs: number
  keySeqs: number[]
  key: KeyView | null
  opening: SelectionReason
  judged: JudgedView
  worth: WorthState
  tracker: TrackerState | null
}

export interface MutableStep extends SelectionStep {
  records: DecidedFrame[]
  keep: number[]
  forget: number[]
}

export function emptyStep(): MutableStep {
  return { records: [], hold: false, keep: [], forget: [] }
}
