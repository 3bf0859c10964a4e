/**
 * One connection to NATS with its JetStream, and NATS's errors in our words. The only importer of the `nats` package.
 * Runs in the daemon and in commands. Must never reconnect by itself (keep-connected makes a new link), nor show an
 * address with its credentials.
 */
import {
  AckPolicy,
  type ConsumerMessages,
  connect,
  DeliverPolicy,
  DiscardPolicy,
  headers as emptyHeaders,
  type JetStreamClient,
  type JetStreamManager,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  NatsError,
  nanos,
  ReplayPolicy,
  StorageType,
} from 'nats'
import { type Clock, within } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import type { BusMessage, ServiceReply, ServiceSpec } from '../../core/ports.ts'
import type { NatsAddress } from './nats-url.ts'
import { failureHeaders } from './service-reply.ts'
import type { CursorStart, StoredMessage, StreamCursor, StreamRange } from './stored-message.ts'
import { ourStreams, type StreamLimits } from './streams.ts'

const CONNECT_TIMEOUT_MS = 5000
const ACK_TIMEOUT_MS = 5000
const DRAIN_LIMIT_MS = 2000
/** A half-open connection is noticed after two of these. */
const PING_INTERVAL_MS = 10_000
/** A consumer that nobody reads from is removed by the server after this. */
const CONSUMER_IDLE_MS = 60_000

/** Made by `connect`, over when `lost` settles; then everything that waits for an answer is rejected. */
export class NatsLink {
  /** Rejects with BUS_UNAVAILABLE the moment the connection goes. */
  readonly lost: Promise<never>
  readonly #connection: NatsConnection
  readonly #jetstream: JetStreamClient
  #manager: Promise<JetStreamManager> | undefined
  #repairing: Promise<void> | undefined

  private constructor(connection: NatsConnection) {
    this.#connection = connection
    this.#jetstream = connection.jetstream({ timeout: ACK_TIMEOUT_MS })
    this.lost = connection.closed().then((error) => {
      throw new GrabberError('BUS_UNAVAILABLE', `the connection ended: ${error?.message ?? 'closed'}`)
    })
    // It has other listeners as well; without one it must not count as unhandled.
    this.lost.catch(() => undefined)
  }

  /** `name` is shown in the server's list of connections. BUS_UNAVAILABLE. */
  static async connect({ shown, ...address }: NatsAddress, name: string): Promise<NatsLink> {
    try {
      const limits = { reconnect: false, timeout: CONNECT_TIMEOUT_MS, pingInterval: PING_INTERVAL_MS }
      return new NatsLink(await connect({ ...address, ...limits, name }))
    } catch (cause) {
      const { message } = toBusError(cause)
      throw new GrabberError('BUS_UNAVAILABLE', `no connection to NATS at ${shown}: ${message}`, { cause })
    }
  }

  /** Core publication: not stored. BUS_*. */
  publish({ subject, headers, data }: BusMessage): void {
    try {
      const options = Object.keys(headers).length > 0 ? { headers: natsHeaders(headers) } : {}
      this.#connection.publish(subject, data, options)
    } catch (error) {
      throw toBusError(error)
    }
  }

  /** Resolves when the server has read all that was published. BUS_UNAVAILABLE. */
  flush(): Promise<void> {
    return this.#answered(this.#connection.flush())
  }

  /**
   * JetStream publication; `duplicate` when the stream knew its Nats-Msg-Id. BUS_UNAVAILABLE when no answer came, BUS_REFUSED
   * when the server will not take this message. A stream of ours that is missing is made again, for the next try.
   */
  async store({ subject, headers, data }: BusMessage): Promise<{ duplicate: boolean }> {
    const options = { headers: natsHeaders(headers), timeout: ACK_TIMEOUT_MS }
    try {
      const { duplicate } = await this.#answered(this.#jetstream.publish(subject, data, options))
      return { duplicate }
    } catch (error) {
      if (isNoResponders(error)) await this.ensureStreams()
      throw error
    }
  }

  subscribe(subject: string, handler: (message: BusMessage) => void, onEnd: (error: GrabberError) => void): () => void {
    const subscription = this.#connection.subscribe(subject, {
      callback: (error, message) => {
        if (error !== null) onEnd(toBusError(error))
        else handler(plainMessage(message))
      },
    })
    return () => subscription.unsubscribe()
  }

  /** Asks, and waits for the first answer. BUS_UNAVAILABLE when nobody serves the subject or none came in time. */
  async request({ subject, headers, data }: BusMessage, timeoutMs: number): Promise<BusMessage> {
    const options = { timeout: timeoutMs, headers: natsHeaders(headers) }
    return plainMessage(await this.#answered(this.#connection.request(subject, data, options)))
  }

  /** A service of NATS's service protocol (ADR-32); `onEnd` when it ends before it was stopped. BUS_*. */
  async serve({ endpoints, ...service }: ServiceSpec, onEnd: (error: GrabberError) => void): Promise<() => void> {
    const running = await this.#answered(this.#connection.services.add(service))
    for (const { name, subject, answer } of endpoints) {
      const handler = (_: unknown, message: Msg) =>
        void answer(plainMessage(message)).then((reply) => respond(message, reply, onEnd))
      running.addEndpoint(name, { subject, handler })
    }
    void running.stopped.then((error) => error && onEnd(toBusError(error)))
    return () => void running.stop()
  }

  /** Makes the streams of ours that are missing; many callers are served by one round. BUS_*. */
  ensureStreams(): Promise<void> {
    this.#repairing ??= this.#makeStreams().finally(() => {
      this.#repairing = undefined
    })
    return this.#repairing
  }

  /** `undefined` when there is no such stream. BUS_*. */
  async range(stream: string): Promise<StreamRange | undefined> {
    const { streams } = await this.#jsm()
    const info = await this.#found(streams.info(stream))
    return info && { first: info.state.first_seq, last: info.state.last_seq, messages: info.state.messages }
  }

  /** `undefined` when that message is gone. BUS_*. */
  async message(stream: string, seq: number): Promise<StoredMessage | undefined> {
    const { streams } = await this.#jsm()
    const stored = await this.#found(streams.getMessage(stream, { seq }))
    if (stored === undefined) return undefined
    const { subject, data, header } = stored
    return { seq, storedAtMs: stored.time.getTime(), subject, data, headers: plainHeaders(header) }
  }

  /** False when it was gone. BUS_*. */
  async remove(stream: string, seq: number): Promise<boolean> {
    const { streams } = await this.#jsm()
    // Erased, not only unlinked: it may hold what is known of a person.
    return (await this.#found(streams.deleteMessage(stream, seq, true))) ?? false
  }

  /** What a stream holds from `start` on, and what comes; close it. BUS_*. */
  async open(stream: string, subject: string, start: CursorStart): Promise<StreamCursor> {
    const { consumers } = await this.#jsm()
    const info = await this.#answered(consumers.add(stream, consumerConfig(subject, start)))
    const messages = await this.#answered(
      this.#jetstream.consumers.getPullConsumerFor(info).consume({ abort_on_missing_resource: true }),
    )
    // Without this the reader of a lost connection would wait for ever.
    this.lost.catch(() => messages.stop())
    return {
      pending: info.num_pending,
      read: (limit) => this.#read(messages, limit),
      close: async () => {
        // Its close() waits for an iteration that was left in its middle, for ever.
        messages.stop()
        if (!this.#connection.isClosed()) await this.#found(consumers.delete(stream, info.name))
      },
    }
  }

  /** Sends what is under way, at most for 2 s. Idempotent. */
  async close(clock: Clock): Promise<void> {
    if (this.#connection.isClosed()) return
    const drained = await within(clock, DRAIN_LIMIT_MS, this.#connection.drain())
    if (drained === undefined) await this.#connection.close()
  }

  async *#read(messages: ConsumerMessages, limit: number): AsyncGenerator<StoredMessage> {
    if (limit <= 0) return
    let left = limit
    try {
      for await (const { subject, headers, data, seq, info } of messages) {
        yield { seq, storedAtMs: Math.floor(info.timestampNanos / 1e6), subject, data, headers: plainHeaders(headers) }
        if (--left === 0) return
      }
    } catch (error) {
      throw toBusError(error)
    }
    if (this.#connection.isClosed()) await this.lost
  }

  /** The library answers its open requests with a timeout when the connection goes; `lost` says what happened. */
  async #answered<T>(request: Promise<T>): Promise<T> {
    try {
      return await Promise.race([request, this.lost])
    } catch (error) {
      if (this.#connection.isClosed()) await this.lost
      throw toBusError(error)
    }
  }

  /** JetStream's 404 as `undefined`. */
  #found<T>(request: Promise<T>): Promise<T | undefined> {
    const absent = (error: unknown) => {
      if (error instanceof NatsError && error.api_error?.code === 404) return undefined
      throw error
    }
    return this.#answered(request.catch(absent))
  }

  #jsm(): Promise<JetStreamManager> {
    this.#manager ??= this.#connection.jetstreamManager({ timeout: ACK_TIMEOUT_MS, checkAPI: false })
    return this.#answered(this.#manager)
  }

  async #makeStreams(): Promise<void> {
    const { streams } = await this.#jsm()
    for (const stream of ourStreams) {
      const found = await this.#found(streams.info(stream.name))
      if (found === undefined) await this.#answered(streams.add(streamConfig(stream)))
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

function consumerConfig(subject: string, start: CursorStart) {
  const where =
    'seq' in start
      ? { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: Math.max(1, start.seq) }
      : { deliver_policy: DeliverPolicy.StartTime, opt_start_time: new Date(start.sinceMs).toISOString() }
  return {
    ...where,
    filter_subject: subject,
    ack_policy: AckPolicy.None,
    replay_policy: ReplayPolicy.Instant,
    inactive_threshold: nanos(CONSUMER_IDLE_MS),
  }
}

function natsHeaders(record: Record<string, string>): MsgHdrs {
  const made = emptyHeaders()
  for (const [name, value] of Object.entries(record)) made.set(name, value)
  return made
}

function plainMessage({ subject, headers, data }: Msg): BusMessage {
  return { subject, headers: plainHeaders(headers), data }
}

function plainHeaders(headers: MsgHdrs | undefined): Record<string, string> {
  const record: Record<string, string> = {}
  for (const [name, values] of headers ?? []) record[name] = values[0] ?? ''
  return record
}

function respond(message: Msg, { data, failure }: ServiceReply, onFailure: (error: GrabberError) => void): void {
  try {
    message.respond(data, failure === null ? {} : { headers: natsHeaders(failureHeaders(failure)) })
  } catch (error) {
    onFailure(toBusError(error))
  }
}

function isNoResponders(error: unknown): boolean {
  return error instanceof GrabberError && error.cause instanceof NatsError && error.cause.code === '503'
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
