/**
 * The restart policies of the tree, in one place. Data only; runs in the daemon.
 */
import type { Config } from '../config/schema.ts'
import type { BackoffSpec } from './kernel/backoff.ts'
import type { SupervisorSpec } from './kernel/supervisor-spec.ts'

type Policy = Omit<SupervisorSpec, 'id' | 'children'>

/** Fifty cameras behind one switch come back over a fifth of the pause, not in one moment. */
const JITTER_RATIO = 0.2

/** The pauses between two attempts at a camera, each twice the last. */
export function reconnectBackoff({ minMs, maxMs }: Config['reconnect']): BackoffSpec {
  return { minMs, maxMs, factor: 2, jitterRatio: JITTER_RATIO }
}

/**
 * Deaths of a camera's host: more than `crashes` in `crashWindowMs`, then one probe each `probeMs`. That a host lives says
 * nothing about its camera, so only the camera actor forgives.
 */
export function cameraPolicy(reconnect: Config['reconnect']): Policy {
  return {
    strategy: 'one_for_one',
    intensity: reconnect.crashes,
    periodMs: reconnect.crashWindowMs,
    backoff: reconnectBackoff(reconnect),
    backoffResetMs: null,
    onExceeded: { quarantineProbeMs: reconnect.probeMs },
  }
}

/** Devices and servers: back quickly after one accident, degraded with a probe when they keep failing. */
export const servicePolicy: Policy = {
  strategy: 'one_for_one',
  intensity: 5,
  periodMs: 60_000,
  backoff: { minMs: 200, maxMs: 30_000, factor: 2, jitterRatio: JITTER_RATIO },
  backoffResetMs: 60_000,
  onExceeded: { quarantineProbeMs: 60_000 },
}

/** A failure counts once more for each of these that it kept its callers waiting. */
const WAIT_STEP_MS = 10_000

/**
 * Engines: a device that hangs fails too seldom to be found out by counting (30 s a time), and costs more each time. So its
 * failure counts for the time it took: three hangs of a CPU, two of a GPU, one start that never ended open the breaker.
 */
export const enginePolicy: Policy = {
  ...servicePolicy,
  weigh({ context: { waitedMs } }) {
    return 1 + (typeof waitedMs === 'number' ? Math.floor(waitedMs / WAIT_STEP_MS) : 0)
  },
}

/** Supervisors of supervisors: their children heal by themselves; if one exits all the same, it is started again. */
export const groupPolicy: Policy = { ...servicePolicy, backoffResetMs: 10_000 }

/** The root: a defect in the store or in the root itself ends the daemon, for the service manager to restart. */
export const rootPolicy: Policy = { ...groupPolicy, intensity: 3, onExceeded: 'escalate' }
