/**
 * Maps a camera's time stamps to the wall clock. Pure; session host only.
 */
export interface Stamp {
  ptsMs: number
  arrivedAtMs: number
  senderAtMs: number | null
}

export class CaptureClock {
  readonly driftPpm: number | null = null
  #offsetMs = Number.POSITIVE_INFINITY

  map({ ptsMs, arrivedAtMs }: Stamp): { capturedAtMs: number; discontinuity: boolean } {
    const offset = arrivedAtMs - ptsMs
    const discontinuity = Math.abs(offset - this.#offsetMs) > 10_000
    this.#offsetMs = discontinuity ? offset : Math.min(this.#offsetMs, offset)
    return { capturedAtMs: ptsMs + this.#offsetMs, discontinuity }
  }
}
