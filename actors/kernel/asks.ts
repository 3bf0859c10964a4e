/**
 * Questions that are open: each ends by its answer, its deadline or the end of whoever should answer, whichever is first.
 * Runs in the daemon. Must never leave a promise unsettled.
 */
import type { Clock } from '../../core/clock.ts'
import { GrabberError, toGrabberError } from '../../core/errors.ts'
import type { Exit } from './child.ts'

/** Answers one ask. Later calls, and calls after the deadline, are ignored. */
export interface Reply<T> {
  (value: T): void
  /** Rejects the ask; a defect becomes ACT_DEFECT. */
  fail(error: unknown): void
}

export class Asks {
  readonly #name: string
  readonly #clock: Clock
  readonly #open = new Set<(error: GrabberError) => void>()

  /** `name` is whose answers are awaited. */
  constructor(name: string, clock: Clock) {
    this.#name = name
    this.#clock = clock
  }

  get size(): number {
    return this.#open.size
  }

  /** Opens an ask and hands its reply to `send`; a throw of `send` rejects it. */
  open<T>(deadlineMs: number, send: (reply: Reply<T>) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const settle = () => {
        timer.cancel()
        this.#open.delete(fail)
      }
      const fail = (error: GrabberError) => {
        settle()
        reject(error)
      }
      const timer = this.#clock.after(deadlineMs, () =>
        fail(new GrabberError('ACT_DEADLINE', `${this.#name} did not answer within ${deadlineMs} ms`)),
      )
      this.#open.add(fail)
      const answer = (value: T) => {
        settle()
        resolve(value)
      }
      try {
        send(Object.assign(answer, { fail: (error: unknown) => fail(toGrabberError(error)) }))
      } catch (error) {
        fail(toGrabberError(error))
      }
    })
  }

  rejectAll(exit: Exit): void {
    const how = exit.kind === 'crash' ? `crashed (${exit.error.code})` : 'ended'
    const cause = exit.kind === 'crash' ? exit.error : undefined
    for (const fail of [...this.#open]) {
      fail(new GrabberError('ACT_STOPPED', `${this.#name} ${how} before it answered`, { cause }))
    }
  }
}
