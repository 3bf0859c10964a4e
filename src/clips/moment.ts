/**
 * The words of choosing clips: what is worth showing, within which limits, and what was chosen. Plain data.
 */

/** The product's rule for highlight clips: so many at most, each of such a length. */
export const MAX_CLIPS = 5
export const SHORTEST_MS = 15_000
export const LONGEST_MS = 60_000

/** Something that happens in a recording. Media time in ms. */
export interface Moment {
  fromMs: number
  toMs: number
  /** The instant it is best seen at, within it. */
  peakMs: number
  /** How much it is worth showing, 0–1. */
  weight: number
  /** A few words, for a person; without names of people. */
  what: string
}

export interface ClipLimits {
  /** 1 to `MAX_CLIPS`. */
  count: number
  minMs: number
  maxMs: number
  /** Shown before and after a moment: what led to it, and that it is over. */
  padMs: number
  /** Of the recording. */
  durationMs: number
}

/** A clip that is to be made; those of a choice do not overlap, and come in order of time. */
export interface ClipChoice {
  fromMs: number
  toMs: number
  /** 0–1. */
  weight: number
  reason: string
}
