/**
 * Back-pressure from the end of the graph to its reader: at most `limit` frames are between capture and verdict.
 * RxJS has none of its own (`mergeMap(f, 1)` queues without bound, FACTS). Session host only.
 * A reader that waits calls `room()` before each frame; a camera never asks and lets the graph drop.
 */
export class Admission {
  readonly limit: number
  #held = 0
  #waiting: (() => void) | undefined

  constructor(limit: number) {
    this.limit = limit
  }

  get held(): number {
    return this.#held
  }

  /** Resolves when one more frame may enter. One reader only. */
  async room(): Promise<void> {
    while (this.#held >= this.limit) await new Promise<void>((resolve) => (this.#waiting = resolve))
  }

  enter(): void {
    this.#held++
  }

  leave(): void {
    this.#held--
    const resume = this.#waiting
    this.#waiting = undefined
    resume?.()
  }
}
