/**
 * The restart policies of the tree, in one place. Data only; runs in the daemon.
 */
import type { SupervisorSpec } from './kernel/supervisor-spec.ts'

type Policy = Omit<SupervisorSpec, 'id' | 'children'>

/** HOUSE: more than 5 crashes in 60 s, then one probe a minute; back-off from 1 s to 60 s, forgotten after 60 good seconds. */
export const cameraPolicy: Policy = {
  strategy: 'one_for_one',
  intensity: 5,
  periodMs: 60_000,
  backoff: { minMs: 1000, maxMs: 60_000, factor: 2, jitterRatio: 0.2 },
  backoffResetMs: 60_000,
  onExceeded: { quarantineProbeMs: 60_000 },
}

/** Devices and servers: back quickly after one accident, degraded with a probe when they keep failing. */
export const servicePolicy: Policy = {
  ...cameraPolicy,
  backoff: { minMs: 200, maxMs: 30_000, factor: 2, jitterRatio: 0.2 },
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
