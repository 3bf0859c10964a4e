/**
 * From the store to the bus: every event is written down first, then published in order, and never twice.
 * Runs in the daemon; memory and NATS buses alike. Must never lose an event that was submitted, nor let one bad event hold up
 * the rest.
 */
import { type Clock, delay, within } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import { type CloudEvent, eventSubject } from '../../core/event.ts'
import type { EventBus, EventLog, StoredEvent } from '../../core/ports.ts'
import type { DeadLetters } from './dead-letters.ts'

/**
 * Events under way at once. They leave in order on one connection, which the server takes in order, so a connection that
 * breaks has stored a prefix; the rest is sent again from the first unacknowledged one, and what was stored is known there
 * by its id. Measured: docs/decisions.md.
 */
const WINDOW = 32
const BACKOFF_MIN_MS = 100
const BACKOFF_MAX_MS = 5000
/** Publications of one event that the server may refuse before it becomes a dead letter. */
const REFUSALS = 3
const CLOSE_LIMIT_MS = 6000

export interface OutboxOptions {
  node: string
  log: EventLog
  bus: Pick<EventBus, 'state' | 'onState' | 'publishEvent'>
  /** Where events go that the server will not take. */
  dead: DeadLetters
  clock: Clock
  /** The store failed, or there is a defect: nothing is published any more. For the owner to act on. */
  onFailure(error: unknown): void
}

/** One flusher per log. */
export class Outbox {
  readonly #options: OutboxOptions
  readonly #listeners = new Set<(stored: StoredEvent) => void>()
  readonly #refusals = new Map<number, number>()
  readonly #closing = new AbortController()
  readonly #stopState: () => void
  readonly #running: Promise<void>
  #wake = Promise.withResolvers<void>()
  #empty = Promise.withResolvers<void>()
  /** Grows from 1 after every failure: while a server comes back, one event at a time cannot be overtaken. */
  #window = 1

  constructor(options: OutboxOptions) {
    this.#options = options
    this.#stopState = options.bus.onState(() => this.#wake.resolve())
    this.#running = this.#flushAll().catch((error: unknown) => options.onFailure(error))
  }

  /** Events that wait. */
  get depth(): number {
    return this.#options.log.depth()
  }

  /** Stores the event and has it published soon. False when its id is known already, however old. STO_UNUSABLE. */
  submit(event: CloudEvent): boolean {
    const isNew = this.#options.log.append(eventSubject(this.#options.node, event.subject, event.type), event)
    if (isNew) this.#wake.resolve()
    return isNew
  }

  /** Called after each event that the bus has taken. */
  onPublished(listener: (stored: StoredEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** True when nothing waits any more, false after `limitMs`. */
  async flush(limitMs: number): Promise<boolean> {
    if (this.depth === 0) return true
    this.#wake.resolve()
    return (await within(this.#options.clock, limitMs, this.#empty.promise)) !== undefined
  }

  /** Stops after what is under way; the rest waits in the log for the next start. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#wake.resolve()
    this.#stopState()
    await within(this.#options.clock, CLOSE_LIMIT_MS, this.#running)
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted
  }

  async #flushAll(): Promise<void> {
    const { bus, clock, log } = this.#options
    let backoffMs = BACKOFF_MIN_MS
    while (!this.#closed) {
      // Taken before looking, so that an event or a change of state that comes while we look is not missed.
      const woken = this.#wake.promise
      const batch = bus.state === 'connected' ? log.unpublished(this.#window) : []
      if (batch.length === 0) {
        await this.#pause(woken)
        continue
      }
      const unavailable = await this.#publish(batch)
      if (unavailable) {
        this.#window = 1
        await delay(clock, backoffMs, this.#closing.signal).catch(() => undefined)
        backoffMs = Math.min(backoffMs * 2, BACKOFF_MAX_MS)
      } else {
        this.#window = Math.min(this.#window * 2, WINDOW)
        backoffMs = BACKOFF_MIN_MS
      }
    }
  }

  async #pause(woken: Promise<void>): Promise<void> {
    if (this.depth === 0) {
      this.#empty.resolve()
      this.#empty = Promise.withResolvers()
    }
    await woken
    this.#wake = Promise.withResolvers()
  }

  /** True when the bus was away for at least one of them. */
  async #publish(batch: StoredEvent[]): Promise<boolean> {
    const outcomes = await Promise.all(batch.map((stored) => this.#publishOne(stored)))
    return outcomes.includes('unavailable')
  }

  async #publishOne(stored: StoredEvent): Promise<'done' | 'unavailable'> {
    const { bus, log } = this.#options
    try {
      await bus.publishEvent(stored.subject, stored.event)
    } catch (error) {
      return this.#notTaken(stored, error)
    }
    this.#refusals.delete(stored.position)
    log.markPublished(stored.position)
    for (const listener of this.#listeners) listener(stored)
    return 'done'
  }

  /** An event that is refused again and again leaves the outbox once its dead letter is stored, not before. */
  async #notTaken(stored: StoredEvent, error: unknown): Promise<'done' | 'unavailable'> {
    if (!(error instanceof GrabberError)) throw error
    if (error.code !== 'BUS_REFUSED') return 'unavailable'
    const { position, subject, event } = stored
    const refusals = (this.#refusals.get(position) ?? 0) + 1
    this.#refusals.set(position, refusals)
    if (refusals < REFUSALS) return 'done'
    const { node, dead, log } = this.#options
    try {
      await dead.bury({ id: event.id, node, camera: event.subject, reason: error.toJSON(), subject, event })
    } catch (failure) {
      if (failure instanceof GrabberError && failure.code === 'BUS_UNAVAILABLE') return 'unavailable'
      throw failure
    }
    this.#refusals.delete(position)
    log.markPublished(position)
    return 'done'
  }
}
