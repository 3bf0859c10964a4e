/** A clock that moves when told to. */
import type { Clock } from '../../../core/clock.ts'

export class ManualClock implements Clock {
  #now = 0
  #timers: { atMs: number; callback: () => void }[] = []

  nowMs = () => this.#now
  monotonicMs = () => this.#now

  after(delayMs: number, callback: () => void) {
    const timer = { atMs: this.#now + delayMs, callback }
    this.#timers.push(timer)
    return { cancel: () => this.#drop(timer) }
  }

  #drop(timer: { atMs: number; callback: () => void }): void {
    this.#timers = this.#timers.filter((other) => other !== timer)
  }

  /** Lets what is ready run, moves on to `ms` from now timer by timer, and lets what they woke run. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await settled()
    for (;;) {
      const next = this.#timers.toSorted((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined || next.atMs > end) break
      this.#drop(next)
      this.#now = next.atMs
      next.callback()
      await settled()
    }
    this.#now = end
  }
}

/** All microtasks that are ready, and those they make, have run when the next macrotask comes. */
export const settled = () => new Promise<void>((resolve) => setImmediate(resolve))
