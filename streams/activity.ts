/**
 * Whether something happens in front of a camera: what the graph has found, for the decoder to go by. Session host only.
 * Written by the graph's stages, read between two packets. Deterministic for recordings: there everything in flight is
 * waited for before it is read.
 */

export interface Activity {
  /** The motion gate has an open motion. */
  moving: boolean
  /** Media time of the last frame that moved, ms. */
  movedAtMs: number
  /** Media time of the last frame that the motion gate saw, ms. */
  seenAtMs: number
  /** Tracks that have not ended. */
  tracks: number
}

export function noActivity(): Activity {
  return { moving: false, movedAtMs: Number.NEGATIVE_INFINITY, seenAtMs: Number.NEGATIVE_INFINITY, tracks: 0 }
}
