/**
 * Which frames of a video stand for it: the first one at or after the middle of each of n equal parts. Pure; session host.
 */
export class Moments {
  readonly #wanted: number
  readonly #stepMs: number
  #taken = 0

  /** One moment is the first frame: a picture has no other. An unknown duration is 0, and takes the first frames. */
  constructor(wanted: number, durationMs: number) {
    this.#wanted = wanted
    this.#stepMs = wanted > 1 ? durationMs / wanted : 0
  }

  get taken(): number {
    return this.#taken
  }

  get complete(): boolean {
    return this.#taken >= this.#wanted
  }

  /** Whether the frame at `atMs` from the start is one of them; notes that it was taken. Call in order of time. */
  take(atMs: number): boolean {
    if (this.complete || atMs < (this.#taken + 0.5) * this.#stepMs) return false
    this.#taken++
    return true
  }
}
