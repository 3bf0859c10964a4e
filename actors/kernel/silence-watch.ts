/**
 * Notices that a child has said nothing for too long. Runs in the daemon: a native call that never returns cannot be
 * timed from inside the process it hangs (docs/protocol.md, "Deadlines").
 */
import type { Clock, Timer } from '../../core/clock.ts'

/**
 * When the daemon's own loop was blocked, its timer is due while the child's messages still lie unread in the pipe. The
 * verdict waits this long, one turn of the loop and some, so that they count.
 */
const GRACE_MS = 50

export class SilenceWatch {
  readonly #clock: Clock
  readonly #limitMs: number
  readonly #onSilent: () => void
  #lastMs: number
  #timer: Timer

  constructor(clock: Clock, limitMs: number, onSilent: () => void) {
    this.#clock = clock
    this.#limitMs = limitMs
    this.#onSilent = onSilent
    this.#lastMs = clock.monotonicMs()
    this.#timer = clock.after(limitMs, () => this.#check(false))
  }

  /** Cheap: a message does not touch the timer. */
  heard(): void {
    this.#lastMs = this.#clock.monotonicMs()
  }

  cancel(): void {
    this.#timer.cancel()
  }

  #check(final: boolean): void {
    const leftMs = this.#lastMs + this.#limitMs - this.#clock.monotonicMs()
    if (leftMs > 0) this.#timer = this.#clock.after(leftMs, () => this.#check(false))
    else if (final) this.#onSilent()
    else this.#timer = this.#clock.after(GRACE_MS, () => this.#check(true))
  }
}
