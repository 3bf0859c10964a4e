/**
 * Native calls that can be interrupted, and that nobody waits for longer than their limit. Session host only.
 * FFmpeg asks between its own waits whether it was interrupted; a system call that blocks (a dead network mount, a pipe
 * that says nothing) never asks. Such a call is given up: its thread is lost, and its memory must not be freed under it.
 */
import type { Clock, Timer } from '../../core/clock.ts'

/** From the interruption to giving up, ms. */
const GRACE_MS = 500

let stuckCalls = 0

/** A native call of this process was given up: `process.exit` would wait for its thread, which may be never. */
export function hasStuckCalls(): boolean {
  return stuckCalls > 0
}

export class PatientCall {
  readonly #clock: Clock
  readonly #interrupt: () => void
  #timer: Timer | undefined
  #giveUp: (() => void) | undefined
  #late = false
  #stuck = false

  /** `interrupt` makes a call that is under way return, if it can. */
  constructor(clock: Clock, interrupt: () => void) {
    this.#clock = clock
    this.#interrupt = interrupt
  }

  /** A call was interrupted because its limit had passed. */
  get late(): boolean {
    return this.#late
  }

  /** A call was given up and may still be running. */
  get stuck(): boolean {
    return this.#stuck
  }

  /** One call at a time. `undefined` when it was given up. */
  async run<T>(limitMs: number, call: () => Promise<T>): Promise<T | undefined> {
    const givenUp = Promise.withResolvers<undefined>()
    this.#giveUp = () => {
      this.#stuck = true
      stuckCalls++
      givenUp.resolve(undefined)
    }
    this.#timer = this.#clock.after(limitMs, () => {
      this.#late = true
      this.interrupt()
    })
    try {
      return await Promise.race([call(), givenUp.promise])
    } finally {
      this.#timer.cancel()
      this.#giveUp = undefined
    }
  }

  interrupt(): void {
    this.#interrupt()
    if (!this.#giveUp) return
    this.#timer?.cancel()
    this.#timer = this.#clock.after(GRACE_MS, this.#giveUp)
  }
}
