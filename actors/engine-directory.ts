/**
 * Where the engine is right now. Runs in the daemon. Written by the engine actor, read by everybody who has sessions.
 * Must never be asked to wait: "no engine for now" is an answer, and sessions are told when it changes.
 */
import type { EngineEndpoint } from '../core/wire/control.ts'

export class EngineDirectory {
  #endpoint: EngineEndpoint | null = null
  #listeners = new Set<(endpoint: EngineEndpoint | null) => void>()

  get endpoint(): EngineEndpoint | null {
    return this.#endpoint
  }

  set(endpoint: EngineEndpoint | null): void {
    this.#endpoint = endpoint
    for (const listener of [...this.#listeners]) listener(endpoint)
  }

  /** Calls `listener` at each change from now on; returns the way to stop. */
  watch(listener: (endpoint: EngineEndpoint | null) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
