/**
 * What the daemon's health is made of. Pure; used by the health routes and by `node.health` events.
 */
import type { CameraReport } from '../actors/camera-report.ts'
import type { BusState } from '../core/ports.ts'
import type { HealthPart } from './http/health.ts'

export interface HealthFigures {
  bus: BusState
  /** In the outbox. */
  waitingEvents: number
  /** What is wrong with the engines; empty when nothing is. */
  engineTrouble: string
  cameras: readonly CameraReport[]
  /** Cameras without faces for want of models. */
  blind: readonly string[]
  /** Why what is written does not run; empty when it does. */
  configTrouble: string
  /** Who has less than the whole rate, for the load; empty when nobody has. */
  loadTrouble: string
  /** The HTTP server has its port. */
  listens: boolean
}

export function healthParts({
  bus,
  waitingEvents,
  engineTrouble,
  cameras,
  blind,
  configTrouble,
  loadTrouble,
  listens,
}: HealthFigures): HealthPart[] {
  const down = cameras.filter(({ state }) => state !== 'live' && state !== 'stopped')
  return [
    { name: 'store', state: 'up', required: true },
    { name: 'http', state: listens ? 'up' : 'down', required: true },
    bounded('bus', bus === 'connected', `${bus}; ${waitingEvents} events wait in the outbox`),
    bounded('engine', engineTrouble === '', engineTrouble),
    bounded('faces', blind.length === 0, `MDL_MISSING: none on ${blind.join(', ')}; run \`grabber models pull\``),
    bounded('config', configTrouble === '', `what is written is not taken: ${configTrouble}`),
    bounded('load', loadTrouble === '', loadTrouble),
    bounded('cameras', down.length === 0, down.map(({ id, state, reason }) => `${id} ${state} (${reason})`).join(', ')),
  ]
}

/** A part that the node can work without, for a while. */
function bounded(name: string, up: boolean, reason: string): HealthPart {
  return up ? { name, state: 'up', required: false } : { name, state: 'degraded', required: false, reason }
}
