/** A clock that stands still until a test moves it. */
import type { Clock } from '../../../core/clock.ts'

export class ManualClock implements Clock {
  #now = 0
  #timers: { atMs: number; callback: () => void }[] = []

  nowMs = () => this.#now
  monotonicMs = () => this.#now

  after(delayMs: number, callback: () => void) {
    const timer = { atMs: this.#now + delayMs, callback }
    this.#timers.push(timer)
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer)
      },
    }
  }

  get pending(): number {
    return this.#timers.length
  }

  advance(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const due = this.#timers.filter((timer) => timer.atMs <= end).sort((a, b) => a.atMs - b.atMs)[0]
      if (due === undefined) break
      this.#timers = this.#timers.filter((timer) => timer !== due)
      this.#now = Math.max(this.#now, due.atMs)
      due.callback()
    }
    this.#now = end
  }

  /** Time passes, but no timer fires: an event loop that is late. */
  stall(ms: number): void {
    this.#now += ms
  }
}
