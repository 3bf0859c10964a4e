/**
 * Which engine each session uses: the placement. Runs in the daemon. Written by the engine fleet, read by everybody who
 * has sessions. Must never be asked to wait ("no engine for now" is an answer, and sessions are told when it changes), and
 * has no timer of its own: the same calls in the same order give the same placement.
 *
 * Theory. A session has a seat at one engine. A new one goes to the least loaded engine that lives; ties go to the engine
 * that joined first. When an engine dies its sessions are placed anew at once. When one comes back it takes new sessions
 * at once, but old ones are moved to it only after it stayed for SETTLED_LOOKS, one a look, and no more than its even share:
 * the budget is given out once per life, so that no session moves for ever.
 */
import type { BreakerState } from '../core/event.ts'
import type { EngineEndpoint, EngineNews } from '../core/wire/control.ts'

/** Measured load: requests that wait, and the time from a request's arrival to its answer. */
export interface EngineLoad {
  queueDepth: number
  latencyMs: number
}

export interface Seat {
  readonly news: EngineNews
  /** The session is over. Idempotent. */
  leave(): void
}

/** Open requests of one session at most (its credits): so many in the queue weigh as one session more. */
const QUEUE_PER_SESSION = 8
/** An engine that takes this long weighs as one session more, ms: the latency that batches are meant to keep. */
const LATENCY_PER_SESSION_MS = 200
/** Calls of `rebalance` that an engine must live through before sessions are moved to it. */
const SETTLED_LOOKS = 3

interface Engine {
  readonly id: string
  endpoint: EngineEndpoint | null
  load: EngineLoad
  full: boolean
  breaker: BreakerState
  looks: number
  /** Sessions that may still be moved here in this life; unset until it settled. */
  budget: number | undefined
}

interface Place {
  engine: Engine | undefined
  /** It had an engine once: it is moved rather than taken on. */
  placed: boolean
  news: EngineNews
  readonly tell: (news: EngineNews) => void
}

export class EngineDirectory {
  readonly #engines = new Map<string, Engine>()
  /** In the order of their coming. */
  readonly #places = new Set<Place>()

  /** Some engine lives. */
  get available(): boolean {
    return [...this.#engines.values()].some(({ endpoint }) => endpoint !== null)
  }

  endpointOf(id: string): EngineEndpoint | null {
    return this.#engines.get(id)?.endpoint ?? null
  }

  /** Sessions placed on an engine. */
  seatsAt(id: string): number {
    return [...this.#places].filter(({ engine }) => engine?.id === id).length
  }

  /** Whether an engine other than this one could take its sessions. */
  hasOther(id: string): boolean {
    return [...this.#engines.values()].some((engine) => engine.id !== id && engine.endpoint !== null && !engine.full)
  }

  /** The engine is at `endpoint`, or gone. */
  set(id: string, endpoint: EngineEndpoint | null): void {
    const engine = this.#engine(id)
    engine.endpoint = endpoint
    // Its first heartbeat may have come before it was ready.
    if (endpoint === null) engine.load = { queueDepth: 0, latencyMs: 0 }
    engine.looks = 0
    engine.budget = undefined
    for (const place of this.#places) {
      if (place.engine === engine) place.engine = undefined
    }
    this.#placeAll()
  }

  measure(id: string, load: EngineLoad): void {
    this.#engine(id).load = load
  }

  /** A full device takes no new session; those that have no other engine any more are not left without one. */
  setFull(id: string, full: boolean): void {
    this.#engine(id).full = full
    this.#placeAll()
  }

  setBreaker(id: string, breaker: BreakerState): void {
    this.#engine(id).breaker = breaker
    this.#placeAll()
  }

  /** Places a session. `tell` is called at each change from now on; the first answer is the seat's `news`. */
  seat(tell: (news: EngineNews) => void): Seat {
    const place: Place = { engine: undefined, placed: false, news: { engine: null, why: 'gone' }, tell }
    this.#places.add(place)
    place.news = this.#place(place)
    return {
      get news() {
        return place.news
      },
      leave: () => {
        this.#places.delete(place)
      },
    }
  }

  /** One look at the balance: moves one session at most. To be called at a steady, low rate. */
  rebalance(): void {
    for (const engine of this.#engines.values()) {
      if (engine.endpoint !== null && engine.breaker === 'closed') engine.looks++
    }
    const living = [...this.#engines.values()].filter(({ endpoint }) => endpoint !== null)
    for (const engine of living) {
      if (engine.looks < SETTLED_LOOKS) continue
      engine.budget ??= Math.max(0, Math.floor(this.#places.size / living.length) - this.seatsAt(engine.id))
      const busiest = living.reduce((most, other) => (this.#load(other) > this.#load(most) ? other : most), engine)
      // Two apart: the move must leave the two nearer to each other than they were.
      if (engine.budget === 0 || engine.full || this.#load(busiest) - this.#load(engine) < 2) continue
      // The youngest: the longest-served cameras are disturbed last.
      const place = [...this.#places].findLast((candidate) => candidate.engine === busiest)
      if (place === undefined) continue
      engine.budget--
      place.engine = engine
      this.#tell(place, { engine: engine.endpoint, why: 'moved' })
      return
    }
  }

  #engine(id: string): Engine {
    let engine = this.#engines.get(id)
    if (engine === undefined) {
      const load = { queueDepth: 0, latencyMs: 0 }
      engine = { id, endpoint: null, load, full: false, breaker: 'closed', looks: 0, budget: undefined }
      this.#engines.set(id, engine)
    }
    return engine
  }

  #load(engine: Engine): number {
    const { queueDepth, latencyMs } = engine.load
    return this.seatsAt(engine.id) + queueDepth / QUEUE_PER_SESSION + latencyMs / LATENCY_PER_SESSION_MS
  }

  #placeAll(): void {
    for (const place of this.#places) {
      if (place.engine === undefined) this.#tell(place, this.#place(place))
    }
  }

  #place(place: Place): EngineNews {
    const engine = this.#best(place.placed)
    if (engine === undefined) return { engine: null, why: this.#isHopeless() ? 'refused' : 'gone' }
    place.engine = engine
    place.placed = true
    return { engine: engine.endpoint, why: 'placed' }
  }

  /** Those on probation only when no other lives; full ones only for sessions that would have nothing else. */
  #best(mayUseFull: boolean): Engine | undefined {
    const living = [...this.#engines.values()].filter(({ endpoint }) => endpoint !== null)
    const free = living.filter(({ full }) => !full)
    const trusted = free.filter(({ breaker }) => breaker === 'closed')
    const candidates = [trusted, free, mayUseFull ? living : []].find((group) => group.length > 0) ?? []
    return candidates.reduce<Engine | undefined>(
      (best, engine) => (best === undefined || this.#load(engine) < this.#load(best) ? engine : best),
      undefined,
    )
  }

  /** No engine is expected soon: there is none, or each has failed too often, or lives and is full. */
  #isHopeless(): boolean {
    return [...this.#engines.values()].every(({ breaker, endpoint }) => endpoint !== null || breaker === 'open')
  }

  #tell(place: Place, news: EngineNews): void {
    const { engine, why } = place.news
    if (engine === news.engine && (engine !== null || why === news.why)) return
    place.news = news
    place.tell(news)
  }
}
