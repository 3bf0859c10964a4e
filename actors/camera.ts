/**
 * The camera actor: one camera's sessions, one after the other, under its own supervisor. Runs in the daemon.
 * The one owner of back-off, quarantine and state of its camera: a session host only says what happened. Never escalates:
 * nothing that a camera does ends the daemon.
 */
import { type CodedError, GrabberError } from '../core/errors.ts'
import type { CameraState, EventData } from '../core/event.ts'
import { addLedgers, emptyLedger, type LedgerCounts } from '../core/ledger.ts'
import type { GalleryHit } from '../core/observation.ts'
import type { FromSession, StreamInfo } from '../core/wire/control.ts'
import type { SessionSpec } from '../core/wire/session-spec.ts'
import type { EngineDirectory } from './engine-directory.ts'
import type { HostSettings } from './host-settings.ts'
import type { ChildSpec, Exit, RunningChild, StartContext } from './kernel/child.ts'
import type { Transition } from './kernel/supervision-node.ts'
import { Supervisor } from './kernel/supervisor.ts'
import { cameraPolicy } from './policies.ts'
import { type SessionVisitors, startSession } from './session-process.ts'

type Message<T extends FromSession['type']> = Extract<FromSession, { type: T }>

export interface CameraOptions {
  id: string
  /** Made anew for each incarnation: where to go on, and with which faces. Throws SRC_UNSUPPORTED. */
  spec(): SessionSpec
  directory: EngineDirectory
  search(embedding: Float32Array, k: number): Promise<GalleryHit[]>
  visitors: SessionVisitors
  host: HostSettings
  /** No frame for this long while live: stalled. */
  stallMs: number
  listener: CameraListener
}

export interface CameraListener {
  onState(id: string, change: EventData<'camera.state'>): void
  /** Must have the event in its keeping when it returns. */
  onEvent(id: string, message: Message<'event'>): void
  onBoxes(id: string, message: Message<'boxes'>): void
  /** Sum over all incarnations of this daemon. */
  onLedger(id: string, ledger: LedgerCounts): void
  onProgress(id: string, message: Message<'progress'>): void
  onCheckpoint(id: string, message: Message<'checkpoint'>): void
  onComplaint(id: string, error: CodedError): void
  onFailure(id: string, error: GrabberError): void
  /** The source ended and is not to be started again. */
  onEndOfInput(id: string): void
  onHost(id: string, pid: number | null): void
  onTransition(transition: Transition): void
}

/** What the API says of a camera. */
export interface CameraReport {
  id: string
  state: CameraState
  stream: StreamInfo | null
  ledger: LedgerCounts
  lastFrameAgeMs: number | null
}

const SHUTDOWN_MS = 10_000

export class Camera {
  readonly id: string
  /** For the supervisor of all cameras. */
  readonly child: ChildSpec
  readonly #options: CameraOptions
  #supervisor: Supervisor | undefined
  #state: CameraState | null = null
  #incarnation = 0
  #attempt = 0
  #lastCode: string | undefined
  #stream: StreamInfo | null = null
  /** Of incarnations that are over. */
  #past = emptyLedger()
  #present = emptyLedger()
  #lastFrameAtMs: number | null = null

  constructor(options: CameraOptions) {
    this.#options = options
    this.id = options.id
    this.child = {
      id: `camera:${options.id}`,
      restart: 'transient',
      shutdownMs: SHUTDOWN_MS,
      start: (context) => this.#start(context),
    }
  }

  report(): CameraReport {
    return {
      id: this.#options.id,
      state: this.#state ?? 'stopped',
      stream: this.#stream,
      ledger: this.#ledger(),
      lastFrameAgeMs: this.#lastFrameAgeMs(),
    }
  }

  /** A new session, with a new specification; nothing when the camera does not run, or its recording has ended. */
  async restart(): Promise<void> {
    if (this.#state !== 'stopped') await this.#supervisor?.restart('session')
  }

  #start({ path }: StartContext): RunningChild {
    const { host } = this.#options
    const session: ChildSpec = {
      id: 'session',
      restart: 'transient',
      shutdownMs: SHUTDOWN_MS,
      start: (context) => this.#begin(context),
    }
    this.#enter('connecting', 'started')
    this.#supervisor = Supervisor.start(
      { ...cameraPolicy, id: this.child.id, children: [session] },
      { clock: host.clock, logger: host.logger, path, onTransition: (transition) => this.#onTransition(transition) },
    )
    void this.#supervisor.exited.then(() => this.#enter('stopped', 'told to'))
    return this.#supervisor
  }

  async #begin({ attempt, signal }: StartContext): Promise<RunningChild> {
    const { id, spec, directory, search, visitors, host, listener } = this.#options
    this.#incarnation++
    this.#attempt = attempt
    if (attempt > 0) this.#enter('connecting', `attempt ${attempt + 1}`)
    const given = attemptSpec(spec)
    if (given instanceof GrabberError) return this.#refuse(given)
    const session = await startSession({
      name: `camera ${id}`,
      incarnation: this.#incarnation,
      spec: given,
      directory,
      search,
      visitors,
      host,
      signal,
      listener: {
        onStarted: (pid) => listener.onHost(id, pid),
        onOpened: ({ stream }) => {
          this.#stream = stream
        },
        onEvent: (message) => listener.onEvent(id, message),
        onBoxes: (message) => listener.onBoxes(id, message),
        onProgress: (message) => this.#onProgress(message),
        onCheckpoint: (message) => {
          this.#sawFrames(message.progress.ledger)
          listener.onCheckpoint(id, message)
        },
        onComplaint: ({ error }) => listener.onComplaint(id, error),
        onEnded: ({ reason, progress }) => {
          this.#sawFrames(progress.ledger)
          if (reason !== 'end of input') return
          listener.onEndOfInput(id)
          this.#enter('stopped', reason)
        },
        onLedger: (ledger) => {
          this.#past = addLedgers(this.#past, ledger)
          this.#present = emptyLedger()
          listener.onLedger(id, this.#ledger())
          listener.onHost(id, null)
        },
      },
    })
    const exited = session.exited.then((exit) => this.#judge(exit))
    return { exited, stop: () => session.stop(), inspect: () => session.inspect() }
  }

  #judge(exit: Exit): Exit {
    if (exit.kind === 'crash') this.#options.listener.onFailure(this.#options.id, exit.error)
    return exit
  }

  /** A source that this version cannot play does not mend by trying again. */
  #refuse(error: GrabberError): RunningChild {
    this.#options.listener.onFailure(this.#options.id, error)
    this.#enter('stopped', error.code)
    return { exited: Promise.resolve({ kind: 'normal' }), stop: async () => undefined }
  }

  #onProgress(message: Message<'progress'>): void {
    const { id, stallMs, listener } = this.#options
    this.#sawFrames(message.progress.ledger)
    if (this.#state === 'live' && (this.#lastFrameAgeMs() ?? 0) > stallMs) this.#enter('stalled', 'no frame')
    listener.onProgress(id, message)
  }

  #sawFrames(ledger: LedgerCounts): void {
    if (ledger.captured > this.#present.captured) {
      this.#lastFrameAtMs = this.#options.host.clock.monotonicMs()
      this.#enter('live', 'frames arrive')
    }
    this.#present = ledger
    this.#options.listener.onLedger(this.#options.id, this.#ledger())
  }

  #ledger(): LedgerCounts {
    return addLedgers(this.#past, this.#present)
  }

  #lastFrameAgeMs(): number | null {
    const { clock } = this.#options.host
    return this.#lastFrameAtMs === null ? null : Math.round(clock.monotonicMs() - this.#lastFrameAtMs)
  }

  #onTransition(transition: Transition): void {
    const { event, error, delayMs, attempt } = transition
    this.#attempt = attempt
    if (error) this.#lastCode = error.code
    if (event === 'backing_off' || event === 'quarantined') {
      this.#enter(event, this.#lastCode ?? 'the session failed', delayMs ?? null)
    }
    this.#options.listener.onTransition(transition)
  }

  #enter(state: CameraState, reason: string, nextRetryMs: number | null = null): void {
    const previous = this.#state
    if (state === previous) return
    this.#state = state
    const lastFrameAgeMs = this.#lastFrameAgeMs()
    const change = { state, previous, reason, attempt: this.#attempt, nextRetryMs, lastFrameAgeMs }
    this.#options.listener.onState(this.#options.id, change)
  }
}

function attemptSpec(spec: () => SessionSpec): SessionSpec | GrabberError {
  try {
    return spec()
  } catch (error) {
    if (error instanceof GrabberError && error.code === 'SRC_UNSUPPORTED') return error
    throw error
  }
}
