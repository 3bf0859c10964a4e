/**
 * Handlers by subject, and the state listeners of a bus: what both buses keep for their users. Runs in the daemon; no I/O.
 * A handler that throws is logged and disturbs nobody else.
 */
import type { BusMessage, BusState, Logger } from '../../core/ports.ts'

export interface Subscription {
  readonly subject: string
  readonly handler: (message: BusMessage) => void
}

/** The present state of a bus and those who want to hear of changes. 'closed' is final. */
export class BusStateCell {
  #state: BusState
  readonly #listeners = new Set<(state: BusState) => void>()

  constructor(state: BusState) {
    this.#state = state
  }

  get state(): BusState {
    return this.#state
  }

  set(state: BusState): void {
    if (this.#state === state || this.#state === 'closed') return
    this.#state = state
    for (const listener of [...this.#listeners]) listener(state)
  }

  listen(listener: (state: BusState) => void): () => void {
    // A wrapper, so that the same function given twice is two listeners.
    const own = (state: BusState) => listener(state)
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }
}

export function deliver(subscription: Subscription, message: BusMessage, logger: Logger): void {
  try {
    subscription.handler(message)
  } catch (error) {
    logger.error({ err: error, subject: subscription.subject }, 'a bus handler failed')
  }
}
