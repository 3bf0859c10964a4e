/**
 * A bounded queue of control messages, first in, first out.
 * Runs in the daemon. Holds control only, never frames; a full mailbox refuses, it never drops what it took.
 */
import { GrabberError } from '../../core/errors.ts'

export class Mailbox<M> {
  readonly #name: string
  readonly #limit: number
  #queue: M[] = []
  #refused = 0

  constructor(name: string, limit: number) {
    if (!(Number.isInteger(limit) && limit > 0)) {
      throw new GrabberError('ACT_DEFECT', `the mailbox of ${name} has a limit of ${limit}`)
    }
    this.#name = name
    this.#limit = limit
  }

  get depth(): number {
    return this.#queue.length
  }

  /** Messages refused so far. */
  get refused(): number {
    return this.#refused
  }

  /** Throws ACT_OVERFLOW when full. */
  push(message: M): void {
    if (this.#queue.length >= this.#limit) {
      this.#refused++
      throw new GrabberError('ACT_OVERFLOW', `the mailbox of ${this.#name} holds ${this.#limit} messages`, {
        context: { actor: this.#name, limit: this.#limit, refused: this.#refused },
      })
    }
    this.#queue.push(message)
  }

  /** The oldest message, boxed because a message may be any value. */
  take(): { message: M } | undefined {
    return this.#queue.length === 0 ? undefined : { message: this.#queue.shift() as M }
  }

  clear(): void {
    this.#queue = []
  }
}
