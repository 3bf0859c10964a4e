/**
 * Turns the daemon's health into `node.health` events: one at each change, not one a second. Runs in the daemon.
 */
import type { EventData } from '../core/event.ts'
import type { HealthPart } from './http/health.ts'

const LOOK_MS = 1000

export class HealthWatch {
  readonly #parts: () => HealthPart[]
  readonly #onChange: (health: EventData<'node.health'>) => void
  readonly #timer: NodeJS.Timeout
  #last: string | undefined

  constructor(parts: () => HealthPart[], onChange: (health: EventData<'node.health'>) => void) {
    this.#parts = parts
    this.#onChange = onChange
    this.#timer = setInterval(() => this.#look(), LOOK_MS)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    // Reasons hold figures that move all the time; the parts that are not well are what changes.
    const unwell = this.#parts().filter(({ state }) => state !== 'up')
    const key = unwell.map(({ name, state }) => `${name} ${state}`).join()
    if (key === this.#last) return
    this.#last = key
    const reasons = unwell.map(
      ({ name, state, reason }) => `${name} is ${state}${reason === undefined ? '' : `: ${reason}`}`,
    )
    this.#onChange({ state: unwell.length === 0 ? 'ok' : 'degraded', reasons })
  }
}
