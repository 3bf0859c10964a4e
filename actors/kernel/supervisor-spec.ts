/**
 * The specification of a supervisor: plain data, checked as a whole before anything is started.
 * Runs in the daemon.
 */
import type { Clock } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import type { Logger } from '../../core/ports.ts'
import { type BackoffSpec, backoffProblems } from './backoff.ts'
import type { ChildSpec } from './child.ts'
import type { Strategy, Transition } from './supervision-node.ts'

export interface SupervisorSpec {
  id: string
  strategy: Strategy
  /** Restarts allowed within `periodMs`; one more is too many. */
  intensity: number
  periodMs: number
  backoff: BackoffSpec
  /**
   * A child that ran this long is healthy: its back-off starts anew, its quarantine ends. `null`: that it runs says
   * nothing, and only `forgive` makes it healthy.
   */
  backoffResetMs: number | null
  /** What happens at one restart too many: the supervisor crashes, or that child is only probed from then on. */
  onExceeded: 'escalate' | { quarantineProbeMs: number }
  /** How many restarts a crash counts for, ≥ 1; 1 when absent. A child that hangs for long crashes seldom. */
  weigh?(error: GrabberError): number
  /** A restart waits no shorter than this, ms, whatever back-off says; asked after each failure. */
  leastDelayMs?(): number
  /**
   * The children do not need each other: they start all at once and stop all at once, as OTP's simple_one_for_one does it.
   * one_for_one only.
   */
  together?: boolean
  children: ChildSpec[]
}

export interface SupervisorDeps {
  clock: Clock
  logger: Logger
  /** In [0, 1), for jitter. */
  random?: () => number
  /** Path of this supervisor in the tree; its id when it is the root. */
  path?: string
  /** Called on each transition; must not throw (it is logged and ignored when it does). */
  onTransition?(transition: Transition): void
}

/** Throws ACT_DEFECT that names every problem. */
export function checkSupervisorSpec(spec: SupervisorSpec): void {
  const problems = [...backoffProblems(spec.backoff), ...idProblems(spec.id)]
  if (!(Number.isInteger(spec.intensity) && spec.intensity >= 0)) problems.push(`intensity is ${spec.intensity}`)
  if (!(spec.periodMs > 0)) problems.push(`periodMs is ${spec.periodMs}`)
  const { backoffResetMs } = spec
  if (backoffResetMs !== null && !(backoffResetMs > 0)) problems.push(`backoffResetMs is ${backoffResetMs}`)
  if (spec.together && spec.strategy !== 'one_for_one') problems.push(`together does not go with ${spec.strategy}`)
  if (spec.onExceeded !== 'escalate' && !(spec.onExceeded.quarantineProbeMs > 0)) {
    problems.push(`quarantineProbeMs is ${spec.onExceeded.quarantineProbeMs}`)
  }
  const seen = new Set<string>()
  for (const child of spec.children) {
    problems.push(...childProblems(child))
    if (seen.has(child.id)) problems.push(`child ${child.id} appears twice`)
    seen.add(child.id)
  }
  refuse(`supervisor ${spec.id}`, problems)
}

/** Throws ACT_DEFECT that names every problem. */
export function checkChildSpec(spec: ChildSpec): void {
  refuse(`child ${spec.id}`, childProblems(spec))
}

function refuse(what: string, problems: string[]): void {
  if (problems.length > 0) throw new GrabberError('ACT_DEFECT', `${what}: ${problems.join('; ')}`)
}

function childProblems(spec: ChildSpec): string[] {
  const problems = idProblems(spec.id)
  if (!(spec.shutdownMs >= 0 && Number.isFinite(spec.shutdownMs))) {
    problems.push(`child ${spec.id}: shutdownMs is ${spec.shutdownMs}`)
  }
  return problems
}

function idProblems(id: string): string[] {
  return id === '' || id.includes('/') ? [`'${id}' is not an id`] : []
}
