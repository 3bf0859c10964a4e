/**
 * Time that stands still until a test moves it. Test support, shared by all unit tests.
 * Timers fire in order of their due time, those of equal due time in the order they were set; between two timers all
 * promise callbacks run, so that code which awaits sees time pass step by step.
 */
import type { Clock, Timer } from '../../core/clock.ts'

interface Pending {
  dueMs: number
  callback: () => void
}

export class VirtualClock implements Clock {
  #elapsedMs = 0
  readonly #startMs: number
  #pending: Pending[] = []

  /** `startMs`: wall-clock time at the beginning, ms since the epoch. */
  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#startMs = startMs
  }

  nowMs(): number {
    return this.#startMs + this.#elapsedMs
  }

  monotonicMs(): number {
    return this.#elapsedMs
  }

  /** Timers that have been set and neither fired nor been cancelled. */
  get pendingTimers(): number {
    return this.#pending.length
  }

  after(delayMs: number, callback: () => void): Timer {
    const pending = { dueMs: this.#elapsedMs + Math.max(0, delayMs), callback }
    this.#pending.push(pending)
    return {
      cancel: () => {
        this.#pending = this.#pending.filter((other) => other !== pending)
      },
    }
  }

  /** Lets `ms` pass, running every timer that falls due on the way, those set meanwhile included. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#elapsedMs + ms
    await settle()
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      this.#pending = this.#pending.filter((other) => other !== next)
      this.#elapsedMs = Math.max(this.#elapsedMs, next.dueMs)
      next.callback()
      await settle()
    }
    this.#elapsedMs = untilMs
  }

  /** The same without letting promises run in between, for code that has none. */
  advanceSync(ms: number): void {
    const untilMs = this.#elapsedMs + ms
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      this.#pending = this.#pending.filter((other) => other !== next)
      this.#elapsedMs = Math.max(this.#elapsedMs, next.dueMs)
      next.callback()
    }
    this.#elapsedMs = untilMs
  }

  /** Time passes, but no timer fires: an event loop that is late. */
  stall(ms: number): void {
    this.#elapsedMs += ms
  }

  #next(untilMs: number): Pending | undefined {
    let first: Pending | undefined
    for (const pending of this.#pending) {
      if (pending.dueMs <= untilMs && (first === undefined || pending.dueMs < first.dueMs)) first = pending
    }
    return first
  }
}

/** Lets every promise callback run that can run without time passing. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
