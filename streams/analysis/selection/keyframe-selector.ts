/**
 * Which candidates become keyframes: one pass, bounded memory (two small pictures, one table of points, one held candidate).
 * Runs in a session host. Pure state over candidates in PTS order; must never read a clock, nor keep a picture that is lent.
 */
import type { LumaView } from '../../../core/frame.ts'
import type { Size } from '../../../core/geometry.ts'
import type { SelectionReason, ViewChange } from '../../../core/keyframe.ts'
import type { KeyframeSpec } from '../../../core/wire/session-spec.ts'
import type { KnownMotion } from '../shots/frame-looks.ts'
import { Neighbourhood, type Worth } from './candidate-worth.ts'
import { FeatureTracker, isLost, type Look } from './feature-tracker.ts'
import { chosenRecord, type HeldCandidate, holdCandidate, recordOf } from './held-candidate.ts'
import {
  CLEARLY_BETTER,
  CLOSE_PROGRESS,
  describeView,
  HOLD_MS,
  hasMovedOn,
  isWindowOver,
  LAST_PROGRESS,
  LEFT_BEHIND,
  OPEN_PROGRESS,
  POOR_PATIENCE,
  progressOf,
  restAfterMs,
  SOFT_OPEN_PROGRESS,
  valueAt,
} from './keyframe-policy.ts'
import { emptyStep, type SelectorState } from './selection-state.ts'
import type { KeyframeCandidate, SelectionStep } from './selection-words.ts'
import { REMEMBERED_KEYFRAMES } from './track-table.ts'
import { type KeyView, LOST_VIEW, ViewGauge } from './view-change.ts'

/** Correlation of a shifted copy below which two pictures show different things. */
const CUT_CORRELATION = 0.6
/** One picture without anything known may be a flash or damage; the second is believed. */
const BELIEVED_LOOKS = 2
/** Nothing fit to be seen for so long ends the sequence, ms. */
const BLIND_MS = 1500
/** New points when less than this share is left: each filling looks at every cell that has none. */
const REFILL_SHARE = 0.85
/** A picture that may become a keyframe is covered as well as it can be. */
const HELD_REFILL_SHARE = 0.97

export class KeyframeSelector {
  readonly #spec: KeyframeSpec
  readonly #tracker: FeatureTracker
  readonly #gauge: ViewGauge
  readonly #neighbourhood = new Neighbourhood()
  /** Newest first. */
  #keySeqs: number[] = []
  /** `null` while the sequence has no keyframe yet, or all of its points were lost. */
  #key: KeyView | null = null
  /** Of the keyframe that opens a sequence, or goes on after a loss. */
  #opening: SelectionReason = 'first'
  #held: HeldCandidate | null = null
  #due: { sinceMs: number; reason: SelectionReason } | null = null
  /** Since when nothing known is seen, in how many usable pictures, and whether it went from one to the next. */
  #loss: { sinceMs: number; usable: number; atOnce: boolean } | null = null
  #scene = 0
  #sourceScene: number | null = null
  #ptsMs = 0
  /** When work could last be resumed from. */
  #restMs = Number.NEGATIVE_INFINITY
  #out = emptyStep()
  /** How the points moved up to the last candidate; `null` where that is not known. */
  motion: KnownMotion | null = null

  /** `size` of the analysis picture, px; at least 64×36. */
  constructor(spec: KeyframeSpec, size: Size) {
    this.#spec = spec
    this.#tracker = new FeatureTracker(size, spec.tracks)
    this.#gauge = new ViewGauge(size)
  }

  /**
   * Goes on after the frame at which `state` was taken, exactly as without an interruption. `luma` is of that frame, decoded
   * again; `size` and `spec` must be those of the interrupted run.
   */
  static resume(spec: KeyframeSpec, size: Size, state: string, luma: LumaView): KeyframeSelector {
    const selector = new KeyframeSelector(spec, size)
    selector.#load(JSON.parse(state) as SelectorState, luma)
    return selector
  }

  /** True when everything seen is decided, and the last candidate's picture is all that is needed to go on. */
  get checkpointable(): boolean {
    return !this.#held && !this.#due && !this.#loss && this.#tracker.isAtLastPicture && this.#sourceScene !== null
  }

  /** JSON of some 100 bytes a point. Only while `checkpointable`, and of the last candidate given to `step`. */
  state(): string {
    const state: SelectorState = {
      ...{ version: 1, scene: this.#scene, sourceScene: this.#sourceScene ?? 0, ptsMs: this.#ptsMs },
      ...{ keySeqs: this.#keySeqs, key: this.#key, opening: this.#opening },
      judged: this.#gauge.save(),
      worth: this.#neighbourhood.save(),
      tracker: this.#tracker.hasPicture ? this.#tracker.save() : null,
    }
    return JSON.stringify(state)
  }

  step(candidate: KeyframeCandidate): SelectionStep {
    this.#out = emptyStep()
    if (this.#sourceScene !== null && candidate.scene > this.#sourceScene) this.#endSequence()
    this.#sourceScene = candidate.scene
    this.#ptsMs = candidate.ptsMs
    if (this.#restMs === Number.NEGATIVE_INFINITY) this.#restMs = candidate.ptsMs
    const stepMs = candidate.ptsMs - this.#tracker.lastPtsMs
    const look = this.#tracker.hasPicture ? this.#tracker.look(candidate.luma) : null
    this.motion = look?.motion && !isLost(look) ? { motion: look.motion, stepMs } : null
    const worth = this.#neighbourhood.judge(candidate, look, this.#spec.minScore)
    if (!look) this.#begin(candidate, worth)
    else if (isLost(look)) this.#miss(candidate, look, worth)
    else this.#follow(candidate, look, worth)
    if (this.checkpointable) this.#restMs = candidate.ptsMs
    return this.#out
  }

  /** The recording has ended, or the session does. Nothing is held afterwards. */
  finish(): SelectionStep {
    this.#out = emptyStep()
    this.#endSequence()
    return this.#out
  }

  #begin(candidate: KeyframeCandidate, worth: Worth): void {
    if (worth.refused && !candidate.wanted) this.#pass(candidate, null, worth.refused, worth.evidence)
    else this.#restart(candidate, worth)
  }

  #restart(candidate: KeyframeCandidate, worth: Worth): void {
    this.#tracker.restart(candidate.luma, candidate.ptsMs)
    this.#seek(candidate, worth)
  }

  #follow(candidate: KeyframeCandidate, look: Look, worth: Worth): void {
    this.#loss = null
    this.#tracker.accept(look, candidate.ptsMs)
    if (!worth.refused) this.#tracker.refill(REFILL_SHARE)
    if (this.#key) this.#advance(candidate, worth, this.#key, look.still)
    else this.#seek(candidate, worth)
  }

  /** Nothing of the picture before is found again. */
  #miss(candidate: KeyframeCandidate, look: Look, worth: Worth): void {
    const refused = worth.refused ?? (worth.soft ? 'blurred' : null)
    const atOnce = !refused && look.shift.correlation < CUT_CORRELATION
    this.#loss ??= { sinceMs: candidate.ptsMs, usable: 0, atOnce }
    if (refused && !candidate.wanted) {
      if (candidate.ptsMs - this.#loss.sinceMs > BLIND_MS) this.#giveUp(refused)
      this.#pass(candidate, null, refused, worth.evidence)
    } else if (++this.#loss.usable < BELIEVED_LOOKS && !candidate.wanted) {
      this.#pass(candidate, null, 'weaker', 'Nothing of the picture before is found again; the next one will tell')
    } else {
      if (this.#loss.atOnce) this.#endSequence()
      else this.#loseSight()
      this.#restart(candidate, worth)
    }
  }

  /** Nothing fit to be seen for a long time. A blur that lasts is how pictures are from now on. */
  #giveUp(reason: SelectionReason): void {
    if (reason === 'blurred' || reason === 'exposure') this.#loseSight()
    else this.#endSequence()
  }

  /** For the first keyframe of a sequence: the best picture of the first window. */
  #seek(candidate: KeyframeCandidate, worth: Worth): void {
    const view = this.#opening === 'first' ? null : LOST_VIEW
    const held = this.#held
    if (worth.refused && !candidate.wanted) this.#pass(candidate, view, worth.refused, worth.evidence)
    else if (candidate.wanted || !held || worth.quality > held.value * CLEARLY_BETTER) {
      this.#hold(candidate, view, worth, worth.quality, 1)
    } else this.#pass(candidate, view, 'weaker', `${worth.evidence}; the one held is better`)
    if (!this.#held) return
    this.#due ??= { sinceMs: candidate.ptsMs, reason: this.#opening }
    const patienceMs = this.#spec.windowMs * (this.#held.poor ? 1 + POOR_PATIENCE : 1)
    const drift = this.#gauge.driftSinceHeld(this.#held.key, this.#tracker.tracks)
    if (candidate.wanted) this.#commit('trigger')
    else if (hasMovedOn(drift, this.#spec) || candidate.ptsMs - this.#due.sinceMs >= patienceMs)
      this.#commit(this.#opening)
  }

  #advance(candidate: KeyframeCandidate, worth: Worth, key: KeyView, still: boolean): void {
    const measured = this.#gauge.measure(key, this.#tracker.tracks)
    const progress = progressOf(measured, key.twice, this.#spec)
    const { continuityRatio: _, turned: __, ...view } = measured
    this.#letGo(candidate.ptsMs, progress.ratio)
    const rests = !this.#held && candidate.ptsMs - this.#restMs > restAfterMs(progress.ratio)
    if (progress.ratio >= 1 && !rests) this.#due ??= { sinceMs: candidate.ptsMs, reason: progress.reason }
    const value = valueAt(worth.quality, progress.ratio)
    const opening = worth.soft ? SOFT_OPEN_PROGRESS : OPEN_PROGRESS
    const isBetter = !worth.refused && !rests && (!this.#held || value > this.#held.value * CLEARLY_BETTER)
    // A picture too far on replaces no held one: that one is taken, and this one is looked at against it.
    const isFar = progress.ratio >= CLOSE_PROGRESS
    if (this.#held && this.#due && (isFar || !isBetter) && this.#isClosed(candidate.ptsMs, progress.ratio)) {
      this.#commit(this.#due.reason)
      this.#advance(candidate, worth, this.#key!, still)
      return
    }
    if (candidate.wanted || (isBetter && progress.ratio >= opening)) {
      this.#hold(candidate, view, worth, value, progress.ratio)
    } else if (worth.refused) this.#pass(candidate, view, worth.refused, worth.evidence)
    else if (progress.ratio < opening || rests) {
      this.#pass(candidate, view, still ? 'still' : 'near', describeView(view))
    } else this.#pass(candidate, view, 'weaker', `${worth.evidence}; the one held is better`)
    if (candidate.wanted) this.#commit('trigger')
    else if (this.#held && this.#due && this.#isClosed(candidate.ptsMs, progress.ratio)) this.#commit(this.#due.reason)
  }

  /** A keyframe is due, and the window of the one held is over: by time, or because the view goes on. */
  #isClosed(ptsMs: number, progress: number): boolean {
    const { poor, key } = this.#held!
    if (isWindowOver(progress, ptsMs - this.#due!.sinceMs, poor, this.#spec)) return true
    const drift = this.#gauge.driftSinceHeld(key, this.#tracker.tracks)
    return !poor && drift.flowRatio > LEFT_BEHIND * this.#spec.targetFlowRatio
  }

  /** The view has come back, or nothing happens any more: nobody is held in vain. */
  #letGo(ptsMs: number, progress: number): void {
    if (!this.#held || this.#due) return
    if (progress < OPEN_PROGRESS / 2 || ptsMs - this.#held.record.ptsMs > HOLD_MS) this.#dropHeld('near')
  }

  #hold(candidate: KeyframeCandidate, view: ViewChange | null, worth: Worth, value: number, progress: number): void {
    if (this.#held) this.#dropHeld('weaker')
    this.#tracker.refill(HELD_REFILL_SHARE)
    const record = recordOf(candidate, this.#scene, view, 'weaker', worth.evidence)
    this.#held = holdCandidate(record, worth, value, progress, this.#tracker.tracks, this.#keySeqs)
    this.#out.hold = true
  }

  #dropHeld(reason: SelectionReason): void {
    const { record } = this.#held!
    this.#held = null
    this.#tracker.tracks.dropHeld()
    this.#out.records.push({ ...record, reason })
    this.#out.forget.push(record.seq)
  }

  #commit(reason: SelectionReason): void {
    const held = this.#held!
    const { view, evidence } = held.record
    this.#out.records.push(chosenRecord(held, reason, view ? `${describeView(view)}; ${evidence}` : evidence))
    this.#out.keep.push(held.record.seq)
    this.#tracker.tracks.commitHeld()
    this.#keySeqs = [held.record.seq, ...this.#keySeqs].slice(0, REMEMBERED_KEYFRAMES)
    this.#gauge.reset()
    this.#key = held.key
    this.#held = null
    this.#due = null
  }

  #pass(candidate: KeyframeCandidate, view: ViewChange | null, reason: SelectionReason, evidence: string): void {
    this.#out.records.push(recordOf(candidate, this.#scene, view, reason, evidence))
  }

  /** The same sequence goes on where nothing known is in sight: after a fast move. Its sharp end is kept. */
  #loseSight(): void {
    if (this.#held) this.#commit(this.#key ? 'overlap' : this.#opening)
    if (this.#key) this.#opening = 'overlap'
    this.#forgetView()
  }

  #endSequence(): void {
    const held = this.#held
    if (held && !this.#key) this.#commit(this.#opening)
    else if (held && this.#due) this.#commit(this.#due.reason)
    else if (held && held.progress >= LAST_PROGRESS) this.#commit('last')
    else if (held) this.#dropHeld('near')
    if (this.#key || this.#tracker.hasPicture) this.#scene++
    this.#opening = 'first'
    this.#forgetView()
  }

  #forgetView(): void {
    this.#tracker.forget()
    this.#neighbourhood.reset()
    this.#key = null
    this.#due = null
    this.#loss = null
  }

  #load(state: SelectorState, luma: LumaView): void {
    this.#scene = state.scene
    this.#sourceScene = state.sourceScene
    this.#ptsMs = this.#restMs = state.ptsMs
    this.#keySeqs = state.keySeqs
    this.#key = state.key
    this.#opening = state.opening
    this.#gauge.load(state.judged)
    this.#neighbourhood.load(state.worth)
    if (state.tracker) this.#tracker.load(state.tracker, luma, state.ptsMs)
  }
}
