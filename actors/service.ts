/**
 * Something of the application as a child of the tree: a store, a bus, an HTTP server. Runs in the daemon.
 * Turns "close it" and "it failed" into a life and an exit.
 */
import type { GrabberError } from '../core/errors.ts'
import type { ChildSpec, Exit, RunningChild } from './kernel/child.ts'

export interface ServiceParts {
  /** Ends it in order. */
  close(): Promise<void> | void
  inspect?(): unknown
}

export class Service implements RunningChild {
  readonly exited: Promise<Exit>
  readonly #exit: (exit: Exit) => void
  readonly #parts: ServiceParts

  constructor(parts: ServiceParts) {
    const { promise, resolve } = Promise.withResolvers<Exit>()
    this.exited = promise
    this.#exit = resolve
    this.#parts = parts
  }

  /** It is broken: its supervisor is to start it again. */
  fail(error: GrabberError): void {
    this.#exit({ kind: 'crash', error })
  }

  async stop(): Promise<void> {
    await this.#parts.close()
    this.#exit({ kind: 'shutdown' })
  }

  inspect(): unknown {
    return this.#parts.inspect?.()
  }
}

/** A permanent child. */
export function serviceChild(
  id: string,
  shutdownMs: number,
  start: () => RunningChild | Promise<RunningChild>,
): ChildSpec {
  return { id, restart: 'permanent', shutdownMs, start }
}
