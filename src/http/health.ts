/**
 * What the health endpoints answer, in Kubernetes' sense: live (restart me), ready (send me work), startup (wait for me).
 * Runs in the daemon. Pure.
 */

export interface HealthPart {
  /** Such as `store`, `bus`, `engine:cpu`, `cameras`. */
  name: string
  state: 'up' | 'degraded' | 'down'
  /** Whether the node cannot do its work without it. */
  required: boolean
  reason?: string
}

export interface HealthReport {
  /** True once every part that must be up has been up, and for ever after. */
  started: boolean
  parts: HealthPart[]
}

export interface HealthAnswer {
  status: 200 | 503
  body: { status: 'ok' | 'degraded' | 'unavailable'; reasons: string[] }
}

/** Reaching this proves that the event loop turns: nothing else is asked of a live process. */
export function live(): HealthAnswer {
  return { status: 200, body: { status: 'ok', reasons: [] } }
}

/** 503 while a required part is down. A degraded part, or a camera that is down, does not take the node out of service. */
export function ready(report: HealthReport): HealthAnswer {
  const reasons = report.parts.filter((part) => part.state !== 'up').map(reasonOf)
  if (!report.started) reasons.unshift('start-up is not finished')
  const unavailable = !report.started || report.parts.some((part) => part.required && part.state === 'down')
  if (unavailable) return { status: 503, body: { status: 'unavailable', reasons } }
  return { status: 200, body: { status: reasons.length === 0 ? 'ok' : 'degraded', reasons } }
}

/** 503 until start-up is finished; afterwards 200, whatever happens later. */
export function startup(report: HealthReport): HealthAnswer {
  if (report.started) return live()
  const reasons = report.parts.filter((part) => part.required && part.state === 'down').map(reasonOf)
  return { status: 503, body: { status: 'unavailable', reasons } }
}

function reasonOf({ name, state, reason }: HealthPart): string {
  return `${name} is ${state}${reason === undefined ? '' : `: ${reason}`}`
}
