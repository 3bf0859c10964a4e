/**
 * The event bus inside the process, for `nats: none` and for machines without nats-server: same subjects, same messages.
 * Runs in the daemon. Stores nothing: who is not subscribed does not get it, and history is the store's.
 */
import { LRUCache } from 'lru-cache'
import { systemClock, within } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import type { CloudEvent } from '../../core/event.ts'
import type { BusMessage, BusState, EventBus, Logger, ServiceSpec } from '../../core/ports.ts'
import { toMessage } from './event-message.ts'
import { failureHeaders } from './service-reply.ts'
import { subjectMatches } from './subjects.ts'
import { BusStateCell, deliver, type Subscription } from './subscriptions.ts'

/** Ids by which a second publication is known as a duplicate, as JetStream does within its window. */
const KNOWN_IDS = 10_000

export class MemoryBus implements EventBus {
  readonly #logger: Logger
  readonly #state = new BusStateCell('connected')
  readonly #subscriptions = new Set<Subscription>()
  readonly #services = new Set<ServiceSpec>()
  readonly #ids = new LRUCache<string, true>({ max: KNOWN_IDS })

  constructor(logger: Logger) {
    this.#logger = logger
  }

  get state(): BusState {
    return this.#state.state
  }

  onState(listener: (state: BusState) => void): () => void {
    return this.#state.listen(listener)
  }

  publishEvent(subject: string, event: CloudEvent): Promise<{ duplicate: boolean }> {
    return this.publishStored(toMessage(subject, event))
  }

  async publishStored(message: BusMessage): Promise<{ duplicate: boolean }> {
    if (this.state === 'closed') throw new GrabberError('BUS_UNAVAILABLE', 'the bus is closed')
    const id = message.headers['Nats-Msg-Id']
    if (id !== undefined && this.#ids.has(id)) return { duplicate: true }
    if (id !== undefined) this.#ids.set(id, true)
    this.#deliver(message)
    return { duplicate: false }
  }

  publishLive(subject: string, data: object): void {
    if (this.state === 'closed') return
    this.#deliver({ subject, headers: {}, data: Buffer.from(JSON.stringify(data)) })
  }

  subscribe(subject: string, handler: (message: BusMessage) => void): () => void {
    const subscription = { subject, handler }
    this.#subscriptions.add(subscription)
    return () => void this.#subscriptions.delete(subscription)
  }

  serve(service: ServiceSpec): () => void {
    this.#services.add(service)
    return () => void this.#services.delete(service)
  }

  async request(message: BusMessage, timeoutMs: number): Promise<BusMessage> {
    const endpoints = this.state === 'closed' ? [] : [...this.#services].flatMap((service) => service.endpoints)
    const endpoint = endpoints.find(({ subject }) => subjectMatches(subject, message.subject))
    if (endpoint === undefined) throw new GrabberError('BUS_UNAVAILABLE', `nobody answers at ${message.subject}`)
    const answered = await within(
      systemClock,
      timeoutMs,
      nextTurn().then(() => endpoint.answer(message)),
    )
    if (answered === undefined) throw new GrabberError('BUS_UNAVAILABLE', `no answer within ${timeoutMs} ms`)
    const { data, failure } = answered.value
    return { subject: message.subject, headers: failure === null ? {} : failureHeaders(failure), data }
  }

  async close(): Promise<void> {
    this.#subscriptions.clear()
    this.#services.clear()
    this.#state.set('closed')
  }

  /** On a later turn, as from a server: a publisher never runs its subscribers' code. */
  #deliver(message: BusMessage): void {
    for (const subscription of this.#subscriptions) {
      if (!subjectMatches(subscription.subject, message.subject)) continue
      queueMicrotask(() => {
        if (this.#subscriptions.has(subscription)) deliver(subscription, message, this.#logger)
      })
    }
  }
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))
