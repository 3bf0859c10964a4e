/**
 * Finds the frame of a recording after which an extraction goes on. Pure state over the frames of one pass, in order; session
 * host only. The frame is the one of the same media time, and of the same pixels: a seek may come out elsewhere, and a decoder
 * that begins in the middle may make other pictures.
 */
import { GrabberError } from '../../core/errors.ts'
import type { SelectionCheckpoint } from '../../core/wire/session-spec.ts'

export type RejoinPoint = Pick<SelectionCheckpoint, 'seq' | 'ptsMs' | 'pixelHash' | 'file'>

/** PTS of one frame, read twice, differ by rounding. */
const SAME_MS = 0.01

/** The frame was not met behind a seek: the whole recording is to be decoded from its start. */
export class RejoinMissed extends Error {}

export class Rejoin {
  readonly #point: RejoinPoint
  readonly #fromStart: boolean
  #count = 0

  /** `fromStart`: the frames are those of the whole recording, and are counted. */
  constructor(point: RejoinPoint, fromStart: boolean) {
    this.#point = point
    this.#fromStart = fromStart
  }

  /**
   * Whether the next frame lies before the point or is it; `ptsMs` is media time, and `hash` says its pixels. Throws RejoinMissed
   * behind a seek, SRC_CHANGED where the recording is not what it was. `spared` pictures before it were not decoded.
   */
  look(ptsMs: number | null, hash: () => string, spared = 0): 'before' | 'here' {
    const { seq, ptsMs: wantedMs, pixelHash } = this.#point
    this.#count += spared
    const before = this.#fromStart ? this.#count++ < seq : ptsMs !== null && ptsMs < wantedMs - SAME_MS
    if (before) return 'before'
    const met = this.#fromStart || (ptsMs !== null && Math.abs(ptsMs - wantedMs) <= SAME_MS)
    if (met && hash() === pixelHash) return 'here'
    return this.missed()
  }

  /** The recording has ended before the point. */
  missed(): never {
    if (!this.#fromStart) throw new RejoinMissed()
    throw new GrabberError('SRC_CHANGED', `its frame ${this.#point.seq} is not the one that was seen before`)
  }
}
