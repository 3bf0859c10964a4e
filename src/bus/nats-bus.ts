/**
 * The event bus over NATS JetStream. Runs in the daemon and in commands that publish. Must never keep a message for later
 * (that is the outbox's work), and never log the server's address with its credentials.
 */
import { once } from 'node:events'
import { type Clock, within } from '../../core/clock.ts'
import { GrabberError, toGrabberError } from '../../core/errors.ts'
import type { CloudEvent } from '../../core/event.ts'
import type { BusMessage, BusState, EventBus, Logger, ServiceSpec } from '../../core/ports.ts'
import { toMessage } from './event-message.ts'
import { keepConnected } from './keep-connected.ts'
import type { NatsLink } from './nats-link.ts'
import { type NatsAddress, parseNatsUrl } from './nats-url.ts'
import { recentIds } from './recent-ids.ts'
import { eventsStream } from './streams.ts'
import { BusStateCell, deliver, type Subscription } from './subscriptions.ts'

const CLOSE_LIMIT_MS = 2000

export interface NatsBusOptions {
  /** `nats://[user:password@]host:port` or `tls://…`; several separated by commas. A promise for a server that still starts. */
  url: string | Promise<string>
  /** Shown in the server's list of connections. */
  name: string
  logger: Logger
  clock: Clock
}

/** Connects in the background, for ever, until closed. */
export class NatsBus implements EventBus {
  readonly #options: NatsBusOptions
  readonly #state = new BusStateCell('connecting')
  readonly #subscriptions = new Map<Subscription, (() => void) | undefined>()
  /** With the way to stop it on the present connection. */
  readonly #services = new Map<ServiceSpec, Promise<() => void> | undefined>()
  readonly #stop = new AbortController()
  readonly #running: Promise<void>
  #link: NatsLink | undefined
  /** Ids at the end of the stream when the connection was made: sent before, acknowledged or not. */
  #stored = new Set<string>()

  /** CFG_INVALID when the URL is not one. */
  constructor(options: NatsBusOptions) {
    this.#options = options
    const { url, name, logger, clock } = options
    const address = typeof url === 'string' ? parseNatsUrl(url) : this.#awaited(url)
    const { signal } = this.#stop
    this.#running = keepConnected({
      address: () => address,
      name,
      logger,
      clock,
      signal,
      serve: (link) => this.#serve(link),
      onAway: () => this.#state.set('offline'),
    })
  }

  get state(): BusState {
    return this.#state.state
  }

  onState(listener: (state: BusState) => void): () => void {
    return this.#state.listen(listener)
  }

  /** BUS_UNAVAILABLE while away or when no answer came; BUS_REFUSED when the server will not take this message. */
  async publishEvent(subject: string, event: CloudEvent): Promise<{ duplicate: boolean }> {
    if (this.#link !== undefined && this.#stored.delete(event.id)) return { duplicate: true }
    return this.publishStored(toMessage(subject, event))
  }

  async publishStored(message: BusMessage): Promise<{ duplicate: boolean }> {
    if (this.#link === undefined) throw new GrabberError('BUS_UNAVAILABLE', 'not connected to NATS')
    return this.#link.store(message)
  }

  publishLive(subject: string, data: object): void {
    try {
      this.#link?.publish({ subject, headers: {}, data: Buffer.from(JSON.stringify(data)) })
    } catch (error) {
      this.#options.logger.warn({ subject, reason: toGrabberError(error).message }, 'a live message was not sent')
    }
  }

  subscribe(subject: string, handler: (message: BusMessage) => void): () => void {
    const subscription: Subscription = { subject, handler }
    this.#subscriptions.set(subscription, this.#link && this.#subscribeOn(this.#link, subscription))
    return () => {
      this.#subscriptions.get(subscription)?.()
      this.#subscriptions.delete(subscription)
    }
  }

  serve(service: ServiceSpec): () => void {
    this.#services.set(service, this.#link && this.#serveOn(this.#link, service))
    return () => {
      void this.#services.get(service)?.then((stop) => stop())
      this.#services.delete(service)
    }
  }

  async request(message: BusMessage, timeoutMs: number): Promise<BusMessage> {
    if (this.#link === undefined) throw new GrabberError('BUS_UNAVAILABLE', 'not connected to NATS')
    return this.#link.request(message, timeoutMs)
  }

  /** Sends what is under way, for 2 s at most. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort()
    this.#state.set('closed')
    const link = this.#link
    this.#link = undefined
    await link?.close(this.#options.clock)
    await within(this.#options.clock, CLOSE_LIMIT_MS, this.#running)
    this.#subscriptions.clear()
    this.#services.clear()
  }

  async #awaited(url: Promise<string>): Promise<NatsAddress> {
    const closed = once(this.#stop.signal, 'abort').then(() => undefined)
    const known = await Promise.race([url, closed])
    if (known === undefined) throw new GrabberError('BUS_UNAVAILABLE', 'the bus was closed before there was a server')
    return parseNatsUrl(known)
  }

  async #serve(link: NatsLink): Promise<void> {
    const { logger } = this.#options
    for (const subscription of this.#subscriptions.keys()) {
      this.#subscriptions.set(subscription, this.#subscribeOn(link, subscription))
    }
    // Without streams publications say what is wrong, and make them again; without their ends the server's window has to do.
    const unusable = (error: unknown) => {
      logger.warn({ reason: toGrabberError(error).message }, 'the JetStream streams are not available')
      return new Set<string>()
    }
    this.#stored = await link
      .ensureStreams()
      .then(() => storedIds(link))
      .catch(unusable)
    if (this.#stop.signal.aborted) return
    this.#link = link
    try {
      for (const service of this.#services.keys()) this.#services.set(service, this.#serveOn(link, service))
      await Promise.all(this.#services.values())
      logger.info({}, 'connected to NATS')
      this.#state.set('connected')
      await link.lost
    } finally {
      this.#link = undefined
    }
  }

  /** A connection that is lost takes the service along: it is set up again on the next. */
  #serveOn(link: NatsLink, service: ServiceSpec): Promise<() => void> {
    const failed = (error: unknown) => {
      const { code, message } = toGrabberError(error)
      if (this.#link === link)
        this.#options.logger.warn({ service: service.name, code, reason: message }, 'a service ended')
      return () => undefined
    }
    return link.serve(service, failed).catch(failed)
  }

  #subscribeOn(link: NatsLink, subscription: Subscription): () => void {
    const { logger } = this.#options
    const { subject } = subscription
    return link.subscribe(
      subject,
      (message) => deliver(subscription, message, logger),
      ({ message }) => logger.warn({ subject, reason: message }, 'a subscription ended'),
    )
  }
}

function storedIds(link: NatsLink): Promise<Set<string>> {
  const { name } = eventsStream
  return recentIds({
    range: () => link.range(name),
    idAt: async (seq) => (await link.message(name, seq))?.headers['Nats-Msg-Id'],
  })
}
