/**
 * Pieces of a recording that are taken as they are, packet by packet: what a session host is asked for. Plain data.
 */

export interface CutPiece {
  /** Media time from the first picture of the recording, ms. */
  fromMs: number
  toMs: number
  /** MP4 file that is written; it is overwritten. */
  target: string
}

export interface CutSpec {
  path: string
  pieces: readonly CutPiece[]
  /** A piece may begin at an I-frame that is so much earlier than asked for, ms. */
  toleranceMs: number
  /** No piece becomes longer, ms. */
  maxMs: number
  openTimeoutMs: number
}

/** What became of a piece. `refused` is no error: it has to be encoded anew, and `reason` says why. */
export type CutAnswer =
  | { index: number; kind: 'cut'; fromMs: number; toMs: number; frames: number }
  | { index: number; kind: 'refused'; reason: string }
