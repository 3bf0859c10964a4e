/**
 * The event bus over NATS JetStream. The only importer of the `nats` package.
 * Runs in the daemon and in commands. Must never keep a message for later (that is the outbox's work), and never log the
 * server's address with its credentials.
 */
import { once } from 'node:events'
import {
  connect,
  DiscardPolicy,
  headers as emptyHeaders,
  type JetStreamClient,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  NatsError,
  type Subscription as NatsSubscription,
  nanos,
  StorageType,
} from 'nats'
import { type Clock, delay, within } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import type { CloudEvent } from '../../core/event.ts'
import type { BusMessage, BusState, EventBus, Logger } from '../../core/ports.ts'
import { toMessage } from './event-message.ts'
import { type NatsAddress, parseNatsUrl } from './nats-url.ts'
import { recentIds } from './recent-ids.ts'
import { deadStream, eventsStream, type StreamLimits } from './streams.ts'
import { BusStateCell, deliver, type Subscription } from './subscriptions.ts'

const CONNECT_TIMEOUT_MS = 5000
/** Doubles from the first to the second; short enough for a restarted local server to be found within 5 s (L6). */
const RETRY_MIN_MS = 100
const RETRY_MAX_MS = 2000
const ACK_TIMEOUT_MS = 5000
const DRAIN_LIMIT_MS = 2000
/** A half-open connection is noticed after two of these. */
const PING_INTERVAL_MS = 10_000

export interface NatsBusOptions {
  /** `nats://[user:password@]host:port` or `tls://…`; several separated by commas. A promise for a server that still starts. */
  url: string | Promise<string>
  /** Shown in the server's list of connections. */
  name: string
  logger: Logger
  clock: Clock
}

/** One established connection; `lost` settles the moment it goes, and with it every publication that waits. */
interface Link {
  connection: NatsConnection
  jetstream: JetStreamClient
  lost: Promise<never>
  /** Ids at the end of the stream when the connection was made: sent before, acknowledged or not. */
  stored: Set<string>
}

/** Connects in the background, for ever, until closed. */
export class NatsBus implements EventBus {
  readonly #options: NatsBusOptions
  #address: NatsAddress | undefined
  readonly #state = new BusStateCell('connecting')
  readonly #subscriptions = new Map<Subscription, NatsSubscription | undefined>()
  readonly #stop = new AbortController()
  readonly #running: Promise<void>
  #link: Link | undefined
  #repairing: Promise<void> | undefined

  /** CFG_INVALID when the URL is not one. */
  constructor(options: NatsBusOptions) {
    this.#options = options
    if (typeof options.url === 'string') this.#address = parseNatsUrl(options.url)
    this.#running = this.#keepConnected()
  }

  get state(): BusState {
    return this.#state.state
  }

  onState(listener: (state: BusState) => void): () => void {
    return this.#state.listen(listener)
  }

  /** BUS_UNAVAILABLE while away or when no answer came; BUS_REFUSED when the server will not take this message. */
  async publishEvent(subject: string, event: CloudEvent): Promise<{ duplicate: boolean }> {
    const link = this.#link
    if (link === undefined) throw new GrabberError('BUS_UNAVAILABLE', `not connected to ${this.#shown}`)
    if (link.stored.delete(event.id)) return { duplicate: true }
    const message = toMessage(subject, event)
    const options = { headers: natsHeaders(message.headers), timeout: ACK_TIMEOUT_MS }
    try {
      const ack = await Promise.race([link.jetstream.publish(subject, message.data, options), link.lost])
      return { duplicate: ack.duplicate }
    } catch (error) {
      // The library answers its open requests with a timeout when the connection goes; `lost` says what happened.
      if (link.connection.isClosed()) await link.lost
      if (isNoResponders(error)) await this.#repairStreams(link)
      throw toBusError(error)
    }
  }

  publishLive(subject: string, data: object): void {
    try {
      this.#link?.connection.publish(subject, JSON.stringify(data))
    } catch (error) {
      this.#options.logger.warn({ subject, reason: toBusError(error).message }, 'a live message was not sent')
    }
  }

  subscribe(subject: string, handler: (message: BusMessage) => void): () => void {
    const subscription: Subscription = { subject, handler }
    this.#subscriptions.set(subscription, this.#link && this.#subscribeOn(this.#link, subscription))
    return () => {
      this.#subscriptions.get(subscription)?.unsubscribe()
      this.#subscriptions.delete(subscription)
    }
  }

  /** Sends what is under way, at most for `DRAIN_LIMIT_MS`. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort()
    this.#state.set('closed')
    const link = this.#link
    this.#link = undefined
    if (link !== undefined) {
      const drained = await within(this.#options.clock, DRAIN_LIMIT_MS, link.connection.drain())
      if (drained === undefined) await link.connection.close()
    }
    await within(this.#options.clock, DRAIN_LIMIT_MS, this.#running)
    this.#subscriptions.clear()
  }

  /**
   * The library's own reconnection is off: it keeps messages and aborts on a second refused login. One connection at a
   * time, made anew by this loop, has one meaning for the first and for every later attempt.
   */
  async #keepConnected(): Promise<void> {
    const { clock, logger } = this.#options
    let waitMs = RETRY_MIN_MS
    let failures = 0
    const closed = once(this.#stop.signal, 'abort').then(() => undefined)
    const url = await Promise.race([this.#options.url, closed])
    if (url === undefined) return
    this.#address ??= parseNatsUrl(url)
    while (!this.#stop.signal.aborted) {
      const link = await this.#connect().catch((error: unknown) => toBusError(error))
      if (link instanceof GrabberError) {
        // The first failure is news, the thousandth is not.
        if (failures++ === 0) logger.warn({ server: this.#shown, reason: link.message }, 'cannot reach NATS')
        this.#state.set('offline')
        await delay(clock, waitMs, this.#stop.signal).catch(() => undefined)
        waitMs = Math.min(waitMs * 2, RETRY_MAX_MS)
        continue
      }
      failures = 0
      waitMs = RETRY_MIN_MS
      await this.#serve(link)
    }
  }

  async #serve(link: Link): Promise<void> {
    const { logger } = this.#options
    for (const subscription of this.#subscriptions.keys()) {
      this.#subscriptions.set(subscription, this.#subscribeOn(link, subscription))
    }
    await this.#repairStreams(link)
    link.stored = await this.#storedIds(link)
    // close() may have come while it connected: then there is no one left to serve.
    if (this.#stop.signal.aborted) return link.connection.close()
    this.#link = link
    logger.info({ server: this.#shown }, 'connected to NATS')
    this.#state.set('connected')
    const reason = await link.lost.catch((error: GrabberError) => error.message)
    this.#link = undefined
    if (!this.#stop.signal.aborted) logger.warn({ server: this.#shown, reason }, 'lost the connection to NATS')
    this.#state.set('offline')
  }

  /** The address without credentials. */
  get #shown(): string {
    return this.#address?.shown ?? 'NATS'
  }

  async #connect(): Promise<Link> {
    const { shown: _, ...address } = this.#address!
    const connection = await connect({
      ...address,
      name: this.#options.name,
      reconnect: false,
      timeout: CONNECT_TIMEOUT_MS,
      pingInterval: PING_INTERVAL_MS,
    })
    const lost = connection.closed().then((error) => {
      throw new GrabberError('BUS_UNAVAILABLE', `the connection ended: ${error?.message ?? 'closed'}`)
    })
    // It has other listeners as well; without one it must not count as unhandled.
    lost.catch(() => undefined)
    return { connection, jetstream: connection.jetstream({ timeout: ACK_TIMEOUT_MS }), lost, stored: new Set() }
  }

  #subscribeOn(link: Link, subscription: Subscription): NatsSubscription {
    return link.connection.subscribe(subscription.subject, {
      callback: (error, message) => {
        if (error !== null) {
          this.#options.logger.warn({ subject: subscription.subject, reason: error.message }, 'a subscription ended')
        } else {
          deliver(subscription, fromNats(message), this.#options.logger)
        }
      },
    })
  }

  /** A failure is logged; the server's own window then has to do. */
  async #storedIds({ connection }: Link): Promise<Set<string>> {
    const { name } = eventsStream
    try {
      const { streams } = await connection.jetstreamManager({ timeout: ACK_TIMEOUT_MS, checkAPI: false })
      return await recentIds({
        async range() {
          const { state } = (await streams.info(name).catch(absent)) ?? {}
          return state && { first: state.first_seq, last: state.last_seq }
        },
        async idAt(seq) {
          return (await streams.getMessage(name, { seq }).catch(absent))?.header.get('Nats-Msg-Id')
        },
      })
    } catch (error) {
      this.#options.logger.warn({ reason: toBusError(error).message }, 'the end of the stream cannot be read')
      return new Set()
    }
  }

  /** Many publications may find at once that the stream is gone; one repair serves them all. */
  #repairStreams(link: Link): Promise<void> {
    this.#repairing ??= this.#ensureStreams(link).finally(() => {
      this.#repairing = undefined
    })
    return this.#repairing
  }

  /** Creates the streams that are missing. A failure is logged: publications then say what is wrong, and try again. */
  async #ensureStreams({ connection }: Link): Promise<void> {
    try {
      const manager = await connection.jetstreamManager({ timeout: ACK_TIMEOUT_MS, checkAPI: false })
      for (const stream of [eventsStream, deadStream]) {
        const found = await manager.streams.info(stream.name).catch(absent)
        if (found === undefined) await manager.streams.add(streamConfig(stream))
      }
    } catch (error) {
      this.#options.logger.warn({ reason: toBusError(error).message }, 'the JetStream streams are not available')
    }
  }
}

function streamConfig(stream: StreamLimits) {
  return {
    name: stream.name,
    subjects: stream.subjects,
    storage: StorageType.File,
    discard: DiscardPolicy.Old,
    max_bytes: stream.maxBytes,
    max_age: nanos(stream.maxAgeMs),
    duplicate_window: nanos(stream.duplicateWindowMs),
  }
}

function natsHeaders(record: Record<string, string>): MsgHdrs {
  const made = emptyHeaders()
  for (const [name, value] of Object.entries(record)) made.set(name, value)
  return made
}

function fromNats(message: Msg): BusMessage {
  const headers: Record<string, string> = {}
  for (const [name, values] of message.headers ?? []) headers[name] = values[0] ?? ''
  return { subject: message.subject, headers, data: message.data }
}

/** JetStream's 404 as `undefined`. */
function absent(error: unknown): undefined {
  if (error instanceof NatsError && error.api_error?.code === 404) return undefined
  throw error
}

function isNoResponders(error: unknown): boolean {
  return error instanceof NatsError && error.code === '503'
}

/**
 * Refused for good is only what the server says of this message: a JetStream answer of class 4xx, a payload over the limit,
 * a subject that may not be published to. Everything else (no answer, no stream yet, a full disk) may pass with time.
 */
function toBusError(error: unknown): GrabberError {
  if (error instanceof GrabberError) return error
  const message = error instanceof Error ? error.message : String(error)
  const api = error instanceof NatsError ? error.api_error : undefined
  const refused =
    (api !== undefined && api.code >= 400 && api.code < 500) ||
    (error instanceof NatsError && (error.code === 'MAX_PAYLOAD_EXCEEDED' || error.isPermissionError()))
  return new GrabberError(refused ? 'BUS_REFUSED' : 'BUS_UNAVAILABLE', message, { cause: error })
}
