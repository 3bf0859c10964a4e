/**
 * Where a camera stands: its state, since when and why, what it waits for, how much it is trusted. Runs in the daemon; one a
 * camera. Moves by the table of camera-life and by nothing else, and tells each change once. Starts and stops nothing.
 */
import { redactText } from '../config/redact.ts'
import type { Clock } from '../core/clock.ts'
import type { GrabberError } from '../core/errors.ts'
import type { BreakerState, CameraState, EventData } from '../core/event.ts'
import { type Happening, nextState } from './camera-life.ts'
import { Reconnect, type ReconnectPolicy } from './reconnect.ts'

export interface StandingOptions {
  clock: Clock
  policy: ReconnectPolicy
  lastFrameAgeMs(): number | null
  onState(change: EventData<'camera.state'>): void
  onBreaker(breaker: BreakerState): void
  /** Good frames came for long enough. */
  onForgiven(): void
}

export interface StandingReport {
  state: CameraState
  /** RFC 3339, UTC. */
  since: string
  /** Why it is in this state: an error code, or a few words. */
  reason: string
  /** Of its connection. */
  breaker: BreakerState
  /** Failures since frames were last good for `reconnect.goodMs`. */
  attempt: number
  /** Until the next attempt; `null` when none is planned. */
  nextRetryMs: number | null
}

/** What stands behind a change of state. */
interface Grounds {
  evidence?: string
  nextRetryMs?: number
}

export class CameraStanding {
  readonly #options: StandingOptions
  #reconnect: Reconnect
  #state: CameraState | null = null
  #sinceMs: number
  #reason = 'not started yet'
  #retryAtMs: number | null = null
  #breaker: BreakerState | undefined
  #lastFailure: GrabberError | undefined
  #leastDelayMs = 0

  constructor(options: StandingOptions) {
    this.#options = options
    this.#sinceMs = options.clock.nowMs()
    this.#reconnect = this.#fresh(options.policy)
  }

  get state(): CameraState {
    return this.#state ?? 'stopped'
  }

  /** How long the next attempt has to wait at least, ms, as of the last failure. */
  get leastDelayMs(): number {
    return this.#leastDelayMs
  }

  report(): StandingReport {
    const leftMs = this.#retryAtMs === null ? null : this.#retryAtMs - this.#options.clock.monotonicMs()
    return {
      state: this.state,
      since: new Date(this.#sinceMs).toISOString(),
      reason: this.#reason,
      breaker: this.#reconnect.breaker(this.state),
      attempt: this.#reconnect.failures,
      nextRetryMs: leftMs === null ? null : Math.max(0, Math.round(leftMs)),
    }
  }

  /** From now on by this policy, and with its failures forgiven. */
  trust(policy: ReconnectPolicy): void {
    this.#reconnect.cancel()
    this.#reconnect.forgive()
    this.#reconnect = this.#fresh(policy)
  }

  forgive(): void {
    this.#reconnect.forgive()
  }

  /** No attempt that was waited for is made any more. */
  cancel(): void {
    this.#reconnect.cancel()
  }

  /** Counts a failure; where that leads is said by `fall`. */
  failed(error: GrabberError): void {
    this.#lastFailure = error
    this.#leastDelayMs = this.#reconnect.failed()
  }

  /** It died once too often. */
  quarantine(): void {
    this.#reconnect.quarantined = true
  }

  /** It is down because of the last failure, until the next attempt in `nextRetryMs`. */
  fall(nextRetryMs: number): void {
    const { code = 'ACT_HOST_DIED', message = 'it ended' } = this.#lastFailure ?? {}
    this.enter(this.#reconnect.quarantined ? 'quarantine' : 'failure', code, { evidence: message, nextRetryMs })
  }

  /** Down until the least delay is over; then the next attempt is made by `due`. */
  fallAndRetry(due: () => void): void {
    this.fall(this.#leastDelayMs)
    this.#reconnect.wait(this.#leastDelayMs, due)
  }

  attempt(): void {
    this.enter('attempt', `attempt ${this.#reconnect.failures + 1}`)
  }

  enter(happening: Happening, reason: string, { evidence, nextRetryMs }: Grounds = {}): void {
    const previous = this.#state
    const state = nextState(previous, happening)
    // Another failure while it is down moves the next attempt; everything else that is said twice is no news.
    if (state === undefined || (state === previous && nextRetryMs === undefined)) return
    const { clock, lastFrameAgeMs, onState } = this.#options
    this.#state = state
    this.#reason = reason
    this.#retryAtMs = nextRetryMs === undefined ? null : clock.monotonicMs() + nextRetryMs
    if (state !== previous) {
      this.#sinceMs = clock.nowMs()
      this.#reconnect.follow(state)
      onState({
        state,
        previous,
        reason,
        ...(evidence === undefined ? {} : { evidence: redactText(evidence) }),
        attempt: this.#reconnect.failures,
        nextRetryMs: nextRetryMs === undefined ? null : Math.round(nextRetryMs),
        lastFrameAgeMs: lastFrameAgeMs(),
      })
    }
    this.#tellBreaker()
  }

  #fresh(policy: ReconnectPolicy): Reconnect {
    return new Reconnect({
      policy,
      clock: this.#options.clock,
      onForgiven: () => {
        this.#options.onForgiven()
        this.#tellBreaker()
      },
    })
  }

  #tellBreaker(): void {
    const breaker = this.#reconnect.breaker(this.state)
    if (breaker === this.#breaker) return
    this.#breaker = breaker
    this.#options.onBreaker(breaker)
  }
}
