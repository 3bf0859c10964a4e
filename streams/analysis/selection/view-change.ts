/**
 * How the view has changed since the last keyframe, by the points both show. Pure state: the last verdict.
 */
import type { Size } from '../../../core/geometry.ts'
import type { ViewChange } from '../../../core/keyframe.ts'
import type { Matches } from '../two-view/matches.ts'
import { judgeViews } from '../two-view/view-verdict.ts'
import type { Look } from './feature-tracker.ts'
import { median } from './median.ts'
import type { TrackTable } from './track-table.ts'

/** Fewer points than this, or than this share of them, found again: nothing of the picture before is left. */
const FOUND = { count: 8, share: 0.15 }

/** Deviation of a followed point's coordinate after some twenty steps, px (measured: 0.05–0.2 a step, of which most cancels). */
const NOISE_PX = 0.5
/** Below this share of the diagonal noise decides between models. */
const MIN_VERDICT_FLOW = 0.01
/** The views are judged again when the flow has changed by this share of itself: it takes 2 to 4 ms. */
const JUDGED_AGAIN = 0.15

/** What the last keyframe showed. */
export interface KeyView {
  /** Points in sight. */
  tracks: number
  /** Of them, those that two or more keyframes show. */
  twice: number
}

export interface ViewProgress extends ViewChange {
  /** Share of the points with two sightings that would get a third one here. */
  continuityRatio: number
  /** The camera turned on the spot. */
  turned: boolean
}

export interface JudgedView {
  flowRatio: number
  model: 'H' | 'F' | 'none'
  turned: boolean
  parallaxRatio: number
}

const UNJUDGED: JudgedView = { flowRatio: 0, model: 'none', turned: false, parallaxRatio: 0 }

export class ViewGauge {
  readonly #size: Size
  readonly #diagonal: number
  #judged = UNJUDGED

  constructor(size: Size) {
    this.#size = size
    this.#diagonal = Math.hypot(size.width, size.height)
  }

  /** `key`: what the last keyframe showed, whose places `tracks` remember. */
  measure(key: KeyView, tracks: TrackTable): ViewProgress {
    const matches = matchesSince(tracks)
    const distances = new Float64Array(matches.count)
    for (let i = 0; i < matches.count; i++) {
      distances[i] = Math.hypot(matches.x2[i]! - matches.x1[i]!, matches.y2[i]! - matches.y1[i]!)
    }
    let twice = 0
    for (let i = 0; i < tracks.count; i++) {
      if (tracks.sightings[i]! >= 2 && !Number.isNaN(tracks.keyX[i]!)) twice++
    }
    const flowRatio = median(distances, matches.count) / this.#diagonal
    const { model, turned, parallaxRatio } = this.#judge(flowRatio, matches)
    return {
      flowRatio,
      parallaxRatio,
      overlapRatio: key.tracks === 0 ? 0 : matches.count / key.tracks,
      model,
      tracks: matches.count,
      continuityRatio: key.twice === 0 ? 1 : twice / key.twice,
      turned,
    }
  }

  /** There is another keyframe. */
  reset(): void {
    this.#judged = UNJUDGED
  }

  save(): JudgedView {
    return this.#judged
  }

  load(judged: JudgedView): void {
    this.#judged = judged
  }

  #judge(flowRatio: number, matches: Matches): JudgedView {
    if (flowRatio < MIN_VERDICT_FLOW) return UNJUDGED
    const judged = this.#judged
    if (judged.model !== 'none' && Math.abs(flowRatio - judged.flowRatio) < JUDGED_AGAIN * judged.flowRatio)
      return judged
    const { model, turned, parallaxPx } = judgeViews(matches, this.#size, NOISE_PX)
    this.#judged = { flowRatio, model, turned, parallaxRatio: parallaxPx / this.#diagonal }
    return this.#judged
  }
}

function matchesSince(tracks: TrackTable): Matches {
  const column = () => new Float64Array(tracks.count)
  const matches = { count: 0, x1: column(), y1: column(), x2: column(), y2: column() }
  for (let i = 0; i < tracks.count; i++) {
    if (Number.isNaN(tracks.keyX[i]!)) continue
    matches.x1[matches.count] = tracks.keyX[i]!
    matches.y1[matches.count] = tracks.keyY[i]!
    matches.x2[matches.count] = tracks.x[i]!
    matches.y2[matches.count++] = tracks.y[i]!
  }
  return matches
}

/** How far the view has gone since the held candidate, for a sequence that has no keyframe yet. `key`: what that one shows. */
export function driftSinceHeld(
  key: KeyView,
  tracks: TrackTable,
  { width, height }: Size,
): { flowRatio: number; lostRatio: number } {
  const scratch = new Float64Array(tracks.count)
  let alive = 0
  for (let i = 0; i < tracks.count; i++) {
    if (Number.isNaN(tracks.heldX[i]!)) continue
    scratch[alive++] = Math.hypot(tracks.x[i]! - tracks.heldX[i]!, tracks.y[i]! - tracks.heldY[i]!)
  }
  const lostRatio = key.tracks === 0 ? 0 : 1 - alive / key.tracks
  return { flowRatio: median(scratch, alive) / Math.hypot(width, height), lostRatio }
}

/** Nothing of the picture before is found again. */
export function isLost({ tracks, foundRatio }: Look): boolean {
  return tracks * foundRatio < Math.max(FOUND.count, FOUND.share * tracks)
}
