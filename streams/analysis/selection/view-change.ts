/**
 * How the view has changed since the last keyframe, by the points both show. Pure.
 */
import type { Size } from '../../../core/geometry.ts'
import type { ViewChange } from '../../../core/keyframe.ts'
import { median } from './median.ts'
import type { TrackTable } from './track-table.ts'

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
}

export function viewSince(key: KeyView, tracks: TrackTable, { width, height }: Size): ViewProgress {
  const scratch = new Float64Array(tracks.count)
  let alive = 0
  let twice = 0
  for (let i = 0; i < tracks.count; i++) {
    if (Number.isNaN(tracks.keyX[i]!)) continue
    if (tracks.sightings[i]! >= 2) twice++
    scratch[alive++] = Math.hypot(tracks.x[i]! - tracks.keyX[i]!, tracks.y[i]! - tracks.keyY[i]!)
  }
  return {
    flowRatio: median(scratch, alive) / Math.hypot(width, height),
    parallaxRatio: 0,
    overlapRatio: key.tracks === 0 ? 0 : alive / key.tracks,
    model: 'none',
    tracks: alive,
    continuityRatio: key.twice === 0 ? 1 : twice / key.twice,
  }
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
