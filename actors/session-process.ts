/**
 * One incarnation of a session host, as the daemon holds it. Runs in the daemon.
 * Owns the host process and its half of the control channel: fencing, acknowledgements, questions to the gallery, news
 * of the engine, the deadline for opening. Must never restart it, and never sees a pixel.
 */
import { redactText } from '../config/redact.ts'
import type { Timer } from '../core/clock.ts'
import { type CodedError, fromCoded, GrabberError, toGrabberError } from '../core/errors.ts'
import { closeDead, emptyLedger, type LedgerCounts } from '../core/ledger.ts'
import type { EndedTrack, GalleryHit, Sighting } from '../core/observation.ts'
import type { FromSession, ToSession } from '../core/wire/control.ts'
import type { SessionSpec } from '../core/wire/session-spec.ts'
import type { EngineDirectory, Seat } from './engine-directory.ts'
import type { HostSettings } from './host-settings.ts'
import type { Exit, RunningChild } from './kernel/child.ts'
import { type HostProcess, hostDied, spawnHost } from './kernel/child-process.ts'

/** The host's own limit for opening stands first; ours is for a host that cannot keep it. */
const OPEN_GRACE_FACTOR = 1.5
/**
 * Of cameras there are many, and each has a process: young objects have 3 MB instead of up to 48, and one arena serves all threads of
 * malloc. Measured in a host: PSS 94 → 61 MB at rest, 141 → 93 MB while somebody moves, CPU time the same (docs/performance.md).
 */
const SMALL = { execArgv: ['--max-semi-space-size=1'], env: { MALLOC_ARENA_MAX: '1' } }

type Message<T extends FromSession['type']> = Extract<FromSession, { type: T }>

/**
 * What the owner does with a session's messages. Each is called in the order of the messages. One that throws ends the
 * session as a crash with that error: what it was about is not acknowledged, so the next incarnation says it again.
 */
export interface SessionListener {
  onStarted?(pid: number): void
  onOpened?(message: Message<'opened'>): void
  onStream?(message: Message<'stream'>): void
  /** Must have the event in its keeping when it returns: it is acknowledged then. */
  onEvent(message: Message<'event'>): void
  /** As `onEvent`. */
  onSelection?(message: Message<'selection'>): void
  onProgress?(message: Message<'progress'>): void
  onBoxes?(message: Message<'boxes'>): void
  onCheckpoint?(message: Message<'checkpoint'>): void
  onComplaint?(message: Message<'complaint'>): void
  onEnded?(message: Message<'ended'>): void
  /** The camera is gone or did not come; the session waits for `connect`. */
  onLost?(message: Message<'lost'>): void
  onPicture?(message: Message<'picture'>): void
  /** The final ledger of the incarnation; open frames of a dead host are dropped(host.died). */
  onLedger(ledger: LedgerCounts): void
}

/** The people without a name, of one camera. */
export interface SessionVisitors {
  remember(sighting: Sighting): Promise<string | null>
  keep(track: EndedTrack): Promise<void>
}

/** Something outside happened: the gate stays open for `holdMs`, and the next picture is kept if `keyframe`. */
export type Trigger = Pick<Extract<ToSession, { type: 'trigger' }>, 'reason' | 'holdMs' | 'keyframe'>

export interface SessionOptions {
  name: string
  incarnation: number
  spec: SessionSpec
  directory: EngineDirectory
  search(embedding: Float32Array, k: number): Promise<GalleryHit[]>
  visitors: SessionVisitors
  listener: SessionListener
  host: HostSettings
  signal: AbortSignal
}

/** Forks and starts a session; resolves at its hello. Rejects with ACT_HOST_DIED, or with what a listener threw. */
export async function startSession(options: SessionOptions): Promise<SessionProcess> {
  const { host, name, signal, spec } = options
  const small = spec.source.overflow === 'wait' ? {} : { ...SMALL, execArgv: [...process.execArgv, ...SMALL.execArgv] }
  const entry = host.sessionEntry
  const spawn = host.spawn ?? spawnHost
  const child = await spawn<ToSession, FromSession>({ ...host, ...small, entry, name, signal })
  try {
    return new SessionProcess(options, child)
  } catch (error) {
    // Nobody supervises it yet.
    child.kill('SIGKILL')
    throw error
  }
}

export class SessionProcess implements RunningChild {
  readonly exited: Promise<Exit>
  readonly #options: SessionOptions
  readonly #host: HostProcess<ToSession, FromSession>
  readonly #seat: Seat
  #opening: Timer | undefined
  #connected = false
  #failure: GrabberError | undefined
  #broken = false
  #ended = false
  #stopping = false
  #ledger = emptyLedger()

  constructor(options: SessionOptions, host: HostProcess<ToSession, FromSession>) {
    this.#options = options
    this.#host = host
    const { directory, listener, spec, name } = options
    listener.onStarted?.(host.pid)
    host.onMessage((message) => this.#take(message))
    this.#seat = directory.seat((news) => this.#send({ type: 'engine', ...news }))
    this.#expectOpening()
    this.#send({ type: 'start', spec, ...this.#seat.news })
    this.exited = host.exited.then((exit) => {
      this.#seat.leave()
      this.#disconnected()
      listener.onLedger(closeDead(this.#ledger))
      if (this.#ended && !this.#broken) return { kind: 'normal' }
      if (this.#stopping) return { kind: 'shutdown' }
      return { kind: 'crash', error: this.#failure ?? hostDied(name, exit) }
    })
  }

  get pid(): number {
    return this.#host.pid
  }

  get ledger(): LedgerCounts {
    return this.#ledger
  }

  /** Tries the camera again, after `lost`; the same limit as at the start holds for its opening. */
  connect(): void {
    this.#expectOpening()
    this.#send({ type: 'connect' })
  }

  /** False when there is no connection whose gate it could wake. */
  trigger(trigger: Trigger): boolean {
    return this.#connected && this.#send({ type: 'trigger', ...trigger })
  }

  /** Analyses only this share of the configured rate, 0 < share ≤ 1. */
  pace(share: number): void {
    this.#send({ type: 'pace', share })
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#host.stop({ type: 'stop', incarnation: this.#options.incarnation })
  }

  inspect(): unknown {
    return { pid: this.#host.pid, incarnation: this.#options.incarnation, ledger: this.#ledger }
  }

  #take(message: FromSession): void {
    // After a failure of ours nothing more is taken: an event that was not must not be overtaken.
    if (this.#broken) return
    try {
      this.#receive(message)
    } catch (error) {
      this.#broken = true
      this.#failure = toGrabberError(error)
      this.#host.kill('SIGKILL')
    }
  }

  #receive(message: FromSession): void {
    if (message.incarnation !== this.#options.incarnation) return
    const { listener } = this.#options
    switch (message.type) {
      case 'opened':
        this.#opening?.cancel()
        this.#connected = true
        listener.onOpened?.(message)
        break
      case 'stream':
        listener.onStream?.(message)
        break
      case 'event':
        listener.onEvent(message)
        this.#send({ type: 'ack', n: message.n })
        break
      case 'selection':
        listener.onSelection?.(message)
        this.#send({ type: 'ack', n: message.n })
        break
      case 'progress':
        this.#ledger = message.progress.ledger
        listener.onProgress?.(message)
        break
      case 'boxes':
        listener.onBoxes?.(message)
        break
      case 'match':
        void this.#answer(message)
        break
      case 'remember':
        void this.#remember(message)
        break
      case 'track':
        void this.#keep(message)
        break
      case 'checkpoint':
        this.#ledger = message.progress.ledger
        listener.onCheckpoint?.(message)
        break
      case 'lost':
        this.#disconnected()
        this.#ledger = message.progress.ledger
        listener.onLost?.({ ...message, error: redacted(message.error) })
        break
      case 'picture':
        listener.onPicture?.(message)
        break
      case 'complaint':
        listener.onComplaint?.(message)
        break
      case 'ended':
        this.#ended = true
        this.#disconnected()
        this.#ledger = message.progress.ledger
        listener.onEnded?.(message)
        break
      case 'failed':
        this.#failure = fromCoded(redacted(message.error))
        if (message.progress) this.#ledger = message.progress.ledger
        break
    }
  }

  #expectOpening(): void {
    const { host, spec } = this.#options
    this.#opening = host.clock.after(OPEN_GRACE_FACTOR * spec.openTimeoutMs, () => {
      this.#failure = new GrabberError('SRC_TIMEOUT', 'the source did not open, and its host did not give up')
      this.#host.kill('SIGKILL')
    })
  }

  #disconnected(): void {
    this.#opening?.cancel()
    this.#connected = false
  }

  async #answer({ requestId, embedding, k }: Message<'match'>): Promise<void> {
    try {
      const hits = await this.#options.search(embedding, k)
      this.#send({ type: 'match.answer', requestId, hits })
    } catch (error) {
      this.#send({ type: 'match.failed', requestId, error: toGrabberError(error).toJSON() })
    }
  }

  async #remember({ requestId, sighting }: Message<'remember'>): Promise<void> {
    try {
      const anonymous = await this.#options.visitors.remember(sighting)
      this.#send({ type: 'remember.answer', requestId, anonymous })
    } catch (error) {
      this.#send({ type: 'remember.failed', requestId, error: toGrabberError(error).toJSON() })
    }
  }

  /** A track that could not be kept is no reason to end its camera. */
  async #keep({ track, incarnation }: Message<'track'>): Promise<void> {
    try {
      await this.#options.visitors.keep(track)
    } catch (error) {
      this.#options.listener.onComplaint?.({ type: 'complaint', incarnation, error: toGrabberError(error).toJSON() })
    }
  }

  #send(
    message: ToSession extends infer M ? (M extends { incarnation: number } ? Omit<M, 'incarnation'> : never) : never,
  ): boolean {
    return this.#host.send({ ...message, incarnation: this.#options.incarnation } as ToSession)
  }
}

/** A host must not name an address with its credentials; should it do so, they end here. */
function redacted({ code, message, remedy }: CodedError): CodedError {
  return { code, message: redactText(message), remedy: redactText(remedy) }
}
