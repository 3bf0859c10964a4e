/**
 * A camera's PTS made into media time that goes on: from 0, over jumps, wraps and time stamps that stand still. Pure state
 * over one connection. Session host only. Must never read a clock: arrivals are given to it.
 */

/** A PTS that is this much further ahead than the moments of arrival allow has jumped, ms. */
const AHEAD_MS = 2000
/** In decode order B-frames come behind pictures that follow them: up to this far, or four pictures, is no jump, ms. */
const REORDER_MS = 1000
const REORDER_STEPS = 4
/** So many pictures without a later PTS, over so long, are a PTS that stands still, and no B-frames. */
const STILL_PICTURES = 10
const STILL_MS = 1000
/** Sums of PTS that are the same differ by rounding. */
const SAME_MS = 0.001
/** What the least offset forgets per ms: twice the worst crystal, so that drift never looks like a jump. */
const LEAK = 0.001
const STEP_WEIGHT = 0.1

export interface MediaMoment {
  /** ms since the first picture; below an earlier one only where pictures come in decode order. */
  mediaMs: number
  /** The PTS jumped here: media time goes on by the moments of arrival. */
  jumped: boolean
  /** Made from the PTS, and so of use for comparing clocks. */
  measured: boolean
}

export class MediaTime {
  /** media time − PTS. */
  #shiftMs: number | undefined
  #topMs = 0
  #topArrivedMs = 0
  #leastOffsetMs = 0
  /** Pictures in a row without a later PTS. */
  #still = 0
  #standing = false
  /** Usual distance of two pictures. */
  #stepMs = 40
  #started = false
  readonly #frameMs: number | null

  /** `frameMs`: usual distance of two pictures, as the stream says; `null` when it does not. */
  constructor(frameMs: number | null = null) {
    this.#frameMs = frameMs
  }

  /** The latest media time so far. */
  get topMs(): number {
    return this.#topMs
  }

  /** Media time of any PTS of the present segment. */
  of(ptsMs: number): number {
    return ptsMs + (this.#shiftMs ?? 0)
  }

  /** `monotonicMs`: when the picture's packet arrived. */
  step(ptsMs: number | null, monotonicMs: number): MediaMoment {
    if (!this.#started) return this.#start(ptsMs, monotonicMs)
    const elapsedMs = Math.max(0, monotonicMs - this.#topArrivedMs)
    if (ptsMs === null) return this.#byArrival(elapsedMs, monotonicMs)
    this.#shiftMs ??= this.#topMs + (this.#firstStepMs ?? elapsedMs) - ptsMs
    const mediaMs = ptsMs + this.#shiftMs
    const aheadMs = mediaMs - this.#topMs
    this.#leastOffsetMs += LEAK * Math.max(0, aheadMs)
    const early = monotonicMs - mediaMs < this.#leastOffsetMs - AHEAD_MS
    const reorderMs = Math.max(REORDER_MS, REORDER_STEPS * this.#stepMs)
    if (aheadMs < -reorderMs || (early && aheadMs - elapsedMs > AHEAD_MS))
      return this.#jump(ptsMs, elapsedMs, monotonicMs)
    if (aheadMs > SAME_MS) return this.#advance(mediaMs, aheadMs, monotonicMs)
    this.#standing ||= ++this.#still >= STILL_PICTURES && elapsedMs >= STILL_MS
    if (!this.#standing) return { mediaMs, jumped: false, measured: true }
    this.#shiftMs += elapsedMs
    return this.#byArrival(elapsedMs, monotonicMs)
  }

  /**
   * FFmpeg's RTP demuxer has no time for the first picture. How far the second one is from it the stream's own rate says better than
   * the moments of arrival, since both come in one burst.
   */
  get #firstStepMs(): number | null {
    return this.#topMs === 0 ? this.#frameMs : null
  }

  #start(ptsMs: number | null, monotonicMs: number): MediaMoment {
    this.#started = true
    if (ptsMs !== null) this.#shiftMs = -ptsMs
    this.#topArrivedMs = monotonicMs
    this.#leastOffsetMs = monotonicMs
    return { mediaMs: 0, jumped: false, measured: ptsMs !== null }
  }

  #advance(mediaMs: number, aheadMs: number, monotonicMs: number): MediaMoment {
    this.#still = 0
    this.#standing = false
    this.#stepMs += STEP_WEIGHT * (aheadMs - this.#stepMs)
    this.#topMs = mediaMs
    this.#topArrivedMs = monotonicMs
    this.#leastOffsetMs = Math.min(this.#leastOffsetMs, monotonicMs - mediaMs)
    return { mediaMs, jumped: false, measured: true }
  }

  #byArrival(elapsedMs: number, monotonicMs: number): MediaMoment {
    this.#topMs += elapsedMs
    this.#topArrivedMs = monotonicMs
    return { mediaMs: this.#topMs, jumped: false, measured: false }
  }

  #jump(ptsMs: number, elapsedMs: number, monotonicMs: number): MediaMoment {
    this.#still = 0
    this.#standing = false
    this.#topMs += Math.max(1, elapsedMs)
    this.#topArrivedMs = monotonicMs
    this.#shiftMs = this.#topMs - ptsMs
    this.#leastOffsetMs = monotonicMs - this.#topMs
    return { mediaMs: this.#topMs, jumped: true, measured: true }
  }
}
