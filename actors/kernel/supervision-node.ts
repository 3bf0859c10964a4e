/**
 * The supervision tree as others see it: a snapshot to look at (inspect) and transitions to listen to.
 * Plain data, fit for JSON; runs in the daemon.
 */
import type { CodedError } from '../../core/errors.ts'
import type { BreakerState } from '../../core/event.ts'
import type { RestartType } from './child.ts'

export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one'

/**
 * A child in quarantine stays `quarantined` while a probe runs, until the probe survived `backoffResetMs`;
 * `nextRetryMs` tells waiting (a number) from probing (`null`).
 */
export type ChildState = 'starting' | 'running' | 'backing_off' | 'quarantined' | 'stopped'

export interface ChildNode {
  id: string
  restart: RestartType
  state: ChildState
  /**
   * The same in the words of a circuit breaker: `open` in quarantine, `half-open` while a probe starts or is on
   * probation, else `closed`.
   */
  breaker: BreakerState
  /** Restarts since it was last healthy. */
  attempt: number
  /** Restarts in total. */
  restarts: number
  lastError: CodedError | null
  /** ms until it is started again; `null` when no start is due. */
  nextRetryMs: number | null
  /** What the child says about itself; a SupervisionNode for a nested supervisor. */
  detail?: unknown
}

export interface SupervisionNode {
  id: string
  path: string
  strategy: Strategy
  state: 'running' | 'stopping' | 'stopped'
  /** Restarts of all children in total. */
  restarts: number
  children: ChildNode[]
}

export interface Transition {
  /** Path of the supervisor. */
  path: string
  child: string
  /** `recovered`: it ran `backoffResetMs` after a failure; back-off and quarantine are over. */
  event: 'started' | 'crashed' | 'exited' | 'backing_off' | 'quarantined' | 'recovered' | 'stopped'
  attempt: number
  breaker: BreakerState
  /** Until the next start; with `backing_off` and `quarantined`. */
  delayMs?: number
  /** With `crashed`, and with `stopped` when the child did not stop in order. */
  error?: CodedError
}
