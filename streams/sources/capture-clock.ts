/**
 * When the light of a picture hit the sensor, by our wall clock: the camera's PTS mapped to it. Pure state over one
 * connection; one per connection. Session host only. Must never read a clock: arrivals are given to it.
 *
 * The camera's own NTP time is used where it can be believed (sender-clock). Else a picture counts as captured when it would
 * have arrived without any queue: the lower envelope of arrival − PTS (analysis/arrival-envelope). What every picture needs at
 * the least, from the sensor to us, cannot be seen from here and is left in: such times are late by that much.
 *
 * All of it is reckoned on the monotonic clock, so that setting the wall clock moves the answers and nothing else.
 * Answers never come before an earlier picture's, and never after the arrival.
 */
import { ArrivalEnvelope } from '../analysis/arrival-envelope.ts'
import { MediaTime } from './media-time.ts'
import { SenderClock } from './sender-clock.ts'

/** Corrections at most change the pace of time by this: 100 ms are made good in 2 s, unseen in any distance of frames. */
const SLEW = 0.05
/** An envelope that rose this far is no queue any more (it is searched 30 s back and more): slewing would take minutes, ms. */
const STEP_MS = 5000
/** `Date.now()` counts whole ms, so wall − monotonic trembles by one; beyond this the wall clock was corrected, ms. */
const WALL_TREMBLE_MS = 5
/** And beyond this it was set: times may then go back, ms. */
const WALL_SET_MS = 500

export interface Arrival {
  /** ms in the stream's own time; `null` when the stream does not say. */
  ptsMs: number | null
  /** When the picture's packet arrived: by the wall clock, ms since the epoch, */
  arrivedAtMs: number
  /** and by the monotonic clock, ms, at the same moment. */
  monotonicMs: number
  /** When the camera says it was captured (media/sender-time); ms since the epoch. */
  senderAtMs?: number | null
}

export interface CaptureMoment {
  /** ms since the first picture of the connection; goes on over jumps of the PTS. */
  mediaMs: number
  /** ms since the epoch. */
  capturedAtMs: number
  /** The PTS jumped: this picture and those before it may not belong together. */
  discontinuity: boolean
}

export class CaptureClock {
  readonly #media: MediaTime
  readonly #envelope = new ArrivalEnvelope()
  readonly #sender = new SenderClock()
  /** The latest media time, and its capture by the monotonic clock. */
  #topMs = Number.NEGATIVE_INFINITY
  #capturedMs = 0
  /** wall − monotonic. */
  #wallMs: number | undefined
  #lastAtMs = Number.NEGATIVE_INFINITY

  /** `frameMs`: usual distance of two pictures, as the stream says. */
  constructor(frameMs: number | null = null) {
    this.#media = new MediaTime(frameMs)
  }

  /** By how much the camera's clock runs faster than ours, parts per million; `null` until there is a minute of arrivals. */
  get driftPpm(): number | null {
    const { skew } = this.#envelope
    return skew === null ? null : -skew * 1e6
  }

  /** Where the times come from: the camera's own clock, or the moments of arrival. */
  get basis(): 'sender' | 'arrival' {
    return this.#sender.offsetMs === null ? 'arrival' : 'sender'
  }

  /**
   * To be called once for each picture, as its packet arrives; in decode order or in that of presentation. In decode order
   * times follow the PTS.
   */
  map({ ptsMs, arrivedAtMs, monotonicMs, senderAtMs = null }: Arrival): CaptureMoment {
    this.#followWall(arrivedAtMs - monotonicMs)
    const { mediaMs, jumped, measured } = this.#media.step(ptsMs, monotonicMs)
    if (jumped) this.#envelope.restart()
    if (measured) this.#envelope.add(mediaMs, monotonicMs - mediaMs)
    if (senderAtMs !== null) this.#sender.step(mediaMs, senderAtMs, arrivedAtMs)
    if (mediaMs > this.#topMs) {
      this.#capturedMs = this.#capture(mediaMs, monotonicMs, jumped || !measured)
      this.#topMs = mediaMs
      this.#lastAtMs = Math.max(this.#lastAtMs, this.#capturedMs + this.#wallMs!)
    }
    return { mediaMs, capturedAtMs: this.#at(mediaMs), discontinuity: jumped }
  }

  /** The same for a picture that was mapped before, by its PTS alone: of the present segment, so not across a discontinuity. */
  at(ptsMs: number): Omit<CaptureMoment, 'discontinuity'> {
    const mediaMs = this.#media.of(ptsMs)
    return { mediaMs, capturedAtMs: this.#at(mediaMs) }
  }

  #at(mediaMs: number): number {
    return this.#lastAtMs - (this.#topMs - mediaMs)
  }

  /** By the monotonic clock. */
  #capture(mediaMs: number, monotonicMs: number, anew: boolean): number {
    if (this.#topMs === Number.NEGATIVE_INFINITY) return monotonicMs
    const wantedMs = this.#wanted(mediaMs, monotonicMs, anew)
    const stepMs = mediaMs - this.#topMs
    const usualMs = this.#capturedMs + stepMs
    const errorMs = wantedMs - usualMs
    const limitMs = SLEW * stepMs
    const slewedMs = errorMs > STEP_MS || anew ? wantedMs : usualMs + Math.max(-limitMs, Math.min(limitMs, errorMs))
    return Math.max(this.#capturedMs, Math.min(slewedMs, monotonicMs))
  }

  #wanted(mediaMs: number, monotonicMs: number, anew: boolean): number {
    if (this.#sender.offsetMs !== null) return mediaMs + this.#sender.offsetMs - this.#wallMs!
    // A picture without a PTS, or the first one after a jump, is taken to be as late as the one before it.
    if (anew) return Math.min(monotonicMs, this.#capturedMs + mediaMs - this.#topMs)
    return mediaMs + this.#envelope.at(mediaMs)
  }

  #followWall(wallMs: number): void {
    const changeMs = Math.abs(wallMs - (this.#wallMs ?? wallMs))
    if (this.#wallMs !== undefined && changeMs <= WALL_TREMBLE_MS) return
    this.#wallMs = wallMs
    if (changeMs <= WALL_SET_MS) return
    // Times of before are not comparable with those to come.
    this.#lastAtMs = this.#capturedMs + wallMs
  }
}
