/**
 * How much a camera's connection is trusted: failures in a row, how long to wait after each, and what forgives them.
 * Runs in the daemon; one a camera. Decides nothing about processes: those are its supervisor's.
 *
 * Theory. That a camera accepts a connection says little: one that is out of memory accepts and dies a hundred times an
 * hour. Only good frames for `goodMs` without a break forgive; everything else leaves the next pause as long as it would
 * have been. Failures of the connection and deaths of the host count alike here; only deaths lead to quarantine.
 */
import type { Config } from '../config/schema.ts'
import type { Clock, Timer } from '../core/clock.ts'
import type { BreakerState, CameraState } from '../core/event.ts'
import { breakerOf } from './camera-life.ts'
import { Backoff } from './kernel/backoff.ts'
import { reconnectBackoff } from './policies.ts'

export type ReconnectPolicy = Config['reconnect']

export interface ReconnectOptions {
  policy: ReconnectPolicy
  clock: Clock
  /** Good frames came for `goodMs`: the failures before are forgiven. */
  onForgiven(): void
}

export class Reconnect {
  /** Deaths of its host came too often; until it is forgiven it is tried once every `probeMs`. */
  quarantined = false
  readonly #options: ReconnectOptions
  readonly #backoff: Backoff
  #good: Timer | undefined
  #waiting: Timer | undefined

  constructor(options: ReconnectOptions) {
    this.#options = options
    this.#backoff = new Backoff(reconnectBackoff(options.policy))
  }

  /** In a row. */
  get failures(): number {
    return this.#backoff.attempt
  }

  /** One more failure. Returns how long to wait before the next attempt, ms. */
  failed(): number {
    const delayMs = this.#backoff.nextMs()
    return this.quarantined ? this.#options.policy.probeMs : delayMs
  }

  /** Tells of each new state: being live is what counts. */
  follow(state: CameraState): void {
    if (state !== 'live') {
      this.#good?.cancel()
      this.#good = undefined
    } else if (this.failures > 0 || this.quarantined) {
      this.#good ??= this.#options.clock.after(this.#options.policy.goodMs, () => {
        this.forgive()
        this.#options.onForgiven()
      })
    }
  }

  breaker(state: CameraState): BreakerState {
    return breakerOf(state, this.failures, this.quarantined)
  }

  /** Calls `due` after `delayMs`, unless `cancel` comes first. */
  wait(delayMs: number, due: () => void): void {
    this.cancel()
    this.#waiting = this.#options.clock.after(delayMs, due)
  }

  cancel(): void {
    this.#waiting?.cancel()
  }

  forgive(): void {
    this.#good?.cancel()
    this.#good = undefined
    this.#backoff.reset()
    this.quarantined = false
  }
}
