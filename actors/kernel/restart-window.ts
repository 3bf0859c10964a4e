/**
 * Counts restarts in a sliding period: OTP's intensity and period.
 * Pure; runs in the daemon. Remembers at most intensity + 1 moments.
 */
export class RestartWindow {
  readonly #intensity: number
  readonly #periodMs: number
  #moments: number[] = []

  constructor(intensity: number, periodMs: number) {
    this.#intensity = intensity
    this.#periodMs = periodMs
  }

  /**
   * Notes a restart that is due at `nowMs` (monotonic); true when it is one too many, that is, when more than
   * `intensity` fell in the last `periodMs`. A restart exactly `periodMs` ago still counts, as in OTP. One of weight `n`
   * counts as `n` of them.
   */
  exceededBy(nowMs: number, weight = 1): boolean {
    this.#moments = this.#moments.filter((moment) => moment >= nowMs - this.#periodMs)
    for (let n = 0; n < weight && this.#moments.length <= this.#intensity; n++) this.#moments.push(nowMs)
    return this.#moments.length > this.#intensity
  }

  clear(): void {
    this.#moments = []
  }
}
