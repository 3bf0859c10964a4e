/**
 * Media time of a camera's session, over all of its connections. Pure state; session host only.
 * PTS 0 is the first picture of the session; pauses between connections are in it, as they went by. Within a connection distances
 * are those of the camera's own time stamps.
 */
import { CaptureClock } from './capture-clock.ts'

export interface TimedArrival {
  /** In the stream's own time, ms; `null` when not said. */
  ptsMs: number | null
  arrivedAtMs: number
  monotonicMs: number
  senderAtMs: number | null
}

export class LiveTime {
  readonly #clock: CaptureClock
  readonly #lastPtsMs: number
  #originMs: number | null
  /** PTS of this connection's first picture. */
  #baseMs: number | undefined
  /** Wall clock of PTS 0 as it is reckoned now: it follows the camera's clock. */
  #captureMs = 0

  /**
   * `lastPtsMs`: where the connection before ended. `originMs`: wall clock of PTS 0; `null` in the first connection. `fps`: as the
   * stream says.
   */
  constructor(lastPtsMs: number, originMs: number | null, fps: number | null = null) {
    this.#clock = new CaptureClock(fps === null ? null : 1000 / fps)
    this.#lastPtsMs = lastPtsMs
    this.#originMs = originMs
  }

  get originMs(): number | null {
    return this.#originMs
  }

  get driftPpm(): number | null {
    return this.#clock.driftPpm
  }

  /** Media time of a picture, ms; once for each, as it arrives. */
  map(arrival: TimedArrival): number {
    const { mediaMs, capturedAtMs } = this.#clock.map(arrival)
    this.#originMs ??= capturedAtMs - this.#lastPtsMs
    this.#baseMs ??= Math.max(this.#lastPtsMs, capturedAtMs - this.#originMs) - mediaMs
    this.#captureMs = capturedAtMs - mediaMs - this.#baseMs
    return this.#baseMs + mediaMs
  }

  /** When the light of the picture at `mediaMs` hit the sensor, ms since the epoch. */
  capturedAtMs(mediaMs: number): number {
    return this.#captureMs + mediaMs
  }
}
