/**
 * When a keyframe is due, and in which words that is said. Pure.
 * The rules and where they come from: spacing by image motion and by what is still in sight as in DSO (Engel et al., PAMI
 * 2018) and ORB-SLAM (Mur-Artal et al., T-RO 2015); rotations told from parallax as in Pollefeys et al. (IJCV 2004) and Ahmed et
 * al. (ICPR 2010).
 */
import type { SelectionReason, ViewChange } from '../../../core/keyframe.ts'
import type { KeyframeSpec } from '../../../core/wire/session-spec.ts'
import type { ViewProgress } from './view-change.ts'

/** From this share of the way to the next keyframe on, a candidate may become it. */
export const OPEN_PROGRESS = 0.4
/** The same for a blurred one: taken early it lacks the baseline, and whatever follows would be as near to it. */
export const SOFT_OPEN_PROGRESS = 0.8
/** Here the window closes, however short it was: the view is leaving. */
export const CLOSE_PROGRESS = 1.4
/** Here a poor picture is better than none. */
const LATE_PROGRESS = 2
/** Windows that a poor candidate waits for a better one. */
export const POOR_PATIENCE = 1.5
/** A held candidate this far on its way is worth keeping when its sequence ends. */
export const LAST_PROGRESS = 0.5
/** A candidate is not held longer than this while nothing happens, ms: without one, work can be resumed from here. */
export const HOLD_MS = 10_000
/** After so long without a moment to resume from, one candidate is passed over for it, ms: one that is not due, and then any. */
const REST_MS = { notDue: 5000, any: 10_000 }
/** Of the aimed-at distance: a held candidate this far behind is taken, so that the next one is not too far from it. */
export const LEFT_BEHIND = 0.6
/** A held candidate is not given up for a picture that is better by less: each is encoded. */
export const CLEARLY_BETTER = 1.1
/** Share of the points with two sightings that must get a third one. */
const MIN_CONTINUITY = 0.6
/** With fewer points the share says nothing. */
const MIN_CONTINUITY_TRACKS = 20
/** A camera that has moved its view by less than this share of the diagonal stands still; what is lost is behind somebody. */
const STILL_FLOW_RATIO = 0.002
/** Of the points, below which even a camera that stands still sees something else. */
const CHANGED_OVERLAP = 0.2

/**
 * A walk straight ahead, or round something, loses the rim of the view while its middle hardly moves; beyond this factor the loss is
 * not the view's. Round an object a median of 2.5 % of the diagonal went with half of the points (26° of viewpoint).
 */
const MOST_LOSS_BY_MOVE = 4
/** A turn on the spot shows something new, but fixes no point: what it shows needs to overlap, and no more. */
const TURN_STRETCH = 1.5
/** Share of the aimed-at distance that is enough when it is all parallax: some 4° of a phone's view of 65°. */
const PARALLAX_SHARE = 0.5

/** Of the first keyframe's window: the view has moved by this share of the aimed-at distance, or lost this share of its points. */
const OPENING = { moved: 0.5, lost: 0.2 }

export interface Progress {
  /** 1: a keyframe is due. */
  ratio: number
  reason: SelectionReason
}

/**
 * How far the view is on its way to the next keyframe; `twice`: points of the last one with two sightings. The way is no shorter for
 * blurred pictures: in the swing of a rendered street, closer ones had COLMAP lose the scale the surer, with all their matches right.
 */
export function progressOf(view: ViewProgress, twice: number, spec: KeyframeSpec): Progress {
  const moved = view.flowRatio / (spec.targetFlowRatio * (view.turned ? TURN_STRETCH : 1))
  if (view.flowRatio < STILL_FLOW_RATIO) {
    return { ratio: view.overlapRatio < CHANGED_OVERLAP ? CLOSE_PROGRESS : moved, reason: 'overlap' }
  }
  const parallax = view.model === 'F' ? view.parallaxRatio / (PARALLAX_SHARE * spec.targetFlowRatio) : 0
  // Points that are lost without a movement are not out of sight, but were hard to follow.
  const credible = (MOST_LOSS_BY_MOVE * view.flowRatio) / spec.targetFlowRatio
  const lost = Math.min(credible, (1 - view.overlapRatio) / (1 - spec.minOverlapRatio))
  const broken = Math.min(credible, (1 - view.continuityRatio) / (1 - MIN_CONTINUITY))
  let progress: Progress = { ratio: Math.max(moved, parallax), reason: 'parallax' }
  if (lost > progress.ratio) progress = { ratio: lost, reason: 'overlap' }
  if (twice >= MIN_CONTINUITY_TRACKS && broken > progress.ratio) progress = { ratio: broken, reason: 'continuity' }
  return view.turned ? { ...progress, reason: 'rotation' } : progress
}

/**
 * How long work may go on without a moment to resume from, ms. In a swing each candidate may be due, and without this one its
 * neighbours would share too little: there it waits.
 */
export function restAfterMs(progress: number): number {
  return progress < 1 ? REST_MS.notDue : REST_MS.any
}

/** Whether the one held is to be taken: `progress` of the view now, and for how long a keyframe has been due. */
export function isWindowOver(progress: number, dueMs: number, poor: boolean, spec: KeyframeSpec): boolean {
  const patienceMs = spec.windowMs * (poor ? POOR_PATIENCE : 0.5)
  return progress >= (poor ? LATE_PROGRESS : CLOSE_PROGRESS) || dueMs >= patienceMs
}

/** Whether the window of a sequence's first keyframe is over, by what has changed since the one held. */
export function hasMovedOn(drift: { flowRatio: number; lostRatio: number }, spec: KeyframeSpec): boolean {
  return drift.flowRatio > OPENING.moved * spec.targetFlowRatio || drift.lostRatio > OPENING.lost
}

/** What a candidate counts for: a good picture early is worth more than a bad one in time. */
export function valueAt(quality: number, progress: number): number {
  const early = 0.5 + 0.5 * Math.min(1, progress)
  const late = Math.max(0.6, 1 - 0.4 * Math.max(0, progress - 1))
  return quality * early * late
}

export function describeView(view: ViewChange): string {
  const percent = (ratio: number) => `${(100 * ratio).toFixed(1)} %`
  const model = view.model === 'none' ? '' : `, ${view.model}`
  return `moved ${percent(view.flowRatio)}, parallax ${percent(view.parallaxRatio)}, in sight ${percent(view.overlapRatio)} of ${view.tracks} points${model}`
}
