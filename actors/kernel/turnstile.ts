/**
 * Lets only so many through at a time; the others wait in the order in which they came. Runs in the daemon.
 * For starts that cost the whole machine: fifty processes that load at once are each fifty times as slow, and all late.
 */
import { GrabberError } from '../../core/errors.ts'

export class Turnstile {
  #free: number
  readonly #waiting: (() => void)[] = []

  /** Throws ACT_DEFECT unless there is a place. */
  constructor(places: number) {
    if (!(places >= 1)) throw new GrabberError('ACT_DEFECT', `a turnstile with ${places} places lets nobody through`)
    this.#free = places
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Does `work` in its turn, and settles as it does. ACT_STOPPED when `signal` is aborted before its turn came. */
  async pass<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#enter(signal)
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }

  #enter(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(givenUp())
    if (this.#free > 0) {
      this.#free--
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const enter = () => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1)
        reject(givenUp())
      }
      this.#waiting.push(enter)
      signal.addEventListener('abort', leave, { once: true })
    })
  }
}

const givenUp = () => new GrabberError('ACT_STOPPED', 'it was given up before its turn to start came')
