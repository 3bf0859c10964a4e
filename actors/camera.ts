/**
 * The camera actor: one camera's sessions, one after the other, under its own supervisor. Runs in the daemon.
 * The one owner of back-off, quarantine and state of its camera: a session host only says what happened. Never escalates:
 * nothing that a camera does ends the daemon.
 */
import { fromCoded, type GrabberError, toGrabberError } from '../core/errors.ts'
import type { FromSession, SessionProgress } from '../core/wire/control.ts'
import type { SessionSpec } from '../core/wire/session-spec.ts'
import { pictureReasons } from './camera-life.ts'
import type { CameraOptions, CameraReport, CameraSettings } from './camera-report.ts'
import { CameraStanding } from './camera-standing.ts'
import type { ChildSpec, Exit, RunningChild, StartContext } from './kernel/child.ts'
import type { Transition } from './kernel/supervision-node.ts'
import { Supervisor } from './kernel/supervisor.ts'
import { cameraPolicy } from './policies.ts'
import { Reception } from './reception.ts'
import { type SessionListener, type SessionProcess, startSession, type Trigger } from './session-process.ts'

const SHUTDOWN_MS = 10_000
const SESSION = 'session'

export class Camera {
  readonly id: string
  /** For the group of all cameras. */
  readonly child: ChildSpec
  readonly #options: CameraOptions
  readonly #reception: Reception
  readonly #standing: CameraStanding
  #settings: CameraSettings
  #supervisor: Supervisor | undefined
  #session: SessionProcess | undefined
  #wanted: boolean
  #incarnation = 0
  #share = 1

  constructor(options: CameraOptions) {
    this.#options = options
    const { id, enabled, settings, listener } = options
    this.id = id
    this.#wanted = enabled
    this.#settings = settings()
    const { clock } = this.#settings.host
    this.#reception = new Reception(clock, () => {
      this.#standing.enter('silence', 'no picture', { evidence: `none for ${this.#settings.stallMs} ms` })
    })
    this.#standing = new CameraStanding({
      clock,
      policy: this.#settings.reconnect,
      lastFrameAgeMs: () => this.#reception.lastFrameAgeMs,
      onState: (change) => listener.onState(id, change),
      onBreaker: (breaker) => listener.onBreaker(id, breaker),
      onForgiven: () => {
        if (this.#supervisor?.has(SESSION)) this.#supervisor.forgive(SESSION)
      },
    })
    this.child = {
      id: `camera:${id}`,
      restart: 'transient',
      shutdownMs: SHUTDOWN_MS,
      start: (context) => this.#start(context),
    }
  }

  /** Told to run, whether it does or not. */
  get isWanted(): boolean {
    return this.#wanted
  }

  /** Told to run, and neither refused nor at its end. */
  get isRunning(): boolean {
    return this.#wanted && this.#standing.state !== 'stopped'
  }

  /** Does not wait for the camera: its state tells. Without a place in the tree it starts when it has one. */
  async start(): Promise<void> {
    const supervisor = this.#supervisor
    if (supervisor && this.isRunning) return
    this.#wanted = true
    if (!supervisor) return
    // Of one that was refused, or has ended by itself.
    if (supervisor.has(SESSION)) await supervisor.remove(SESSION)
    this.#standing.enter('start', 'started')
    const { logger } = this.#settings.host
    supervisor.add(this.#sessionChild()).catch((error) => {
      logger.debug({ camera: this.id, error: toGrabberError(error).line }, 'it is being stopped')
    })
  }

  /** Ends the session in order; resolves when it is gone. Its failures are forgiven. */
  async stop(reason = 'told to'): Promise<void> {
    this.#wanted = false
    this.#quiet()
    if (this.#supervisor?.has(SESSION)) await this.#supervisor.remove(SESSION)
    this.#standing.forgive()
    this.#options.listener.onOver(this.id)
    this.#standing.enter('end', reason)
  }

  /** A new incarnation, with a new specification and its failures forgiven. */
  async restart(): Promise<void> {
    await this.stop('to be started again')
    await this.start()
  }

  /** False when there is no connection whose gate it could wake. */
  trigger(trigger: Trigger): boolean {
    return this.#session?.trigger(trigger) ?? false
  }

  /** Share of its rate that is analysed, 0 < share ≤ 1; of this session and of all that follow. */
  pace(share: number): void {
    this.#share = share
    this.#session?.pace(share)
  }

  report(): CameraReport {
    return {
      id: this.id,
      ...this.#standing.report(),
      ...this.#reception.report(),
      share: this.#share,
      incarnation: this.#incarnation,
      hostPid: this.#session?.pid ?? null,
    }
  }

  #start({ path }: StartContext): RunningChild {
    this.#settings = this.#options.settings()
    const { host, reconnect } = this.#settings
    this.#standing.trust(reconnect)
    if (this.#wanted) this.#standing.enter('start', 'started')
    else this.#standing.enter('end', 'not enabled')
    const supervisor = Supervisor.start(
      {
        ...cameraPolicy(reconnect),
        leastDelayMs: () => this.#standing.leastDelayMs,
        id: this.child.id,
        children: this.#wanted ? [this.#sessionChild()] : [],
      },
      { clock: host.clock, logger: host.logger, path, onTransition: (transition) => this.#onTransition(transition) },
    )
    this.#supervisor = supervisor
    const exited = supervisor.exited.then((exit) => {
      this.#supervisor = undefined
      this.#quiet()
      this.#standing.enter('end', 'told to')
      return exit
    })
    return {
      exited,
      stop: async () => {
        await supervisor.stop()
        await exited
      },
      inspect: () => ({ ...supervisor.inspect(), connection: this.#standing.report() }),
    }
  }

  #sessionChild(): ChildSpec {
    return {
      id: SESSION,
      restart: 'transient',
      shutdownMs: SHUTDOWN_MS,
      start: (context) => this.#begin(context),
    }
  }

  async #begin({ signal }: StartContext): Promise<RunningChild> {
    const { spec, nextIncarnation, turnstile } = this.#options
    this.#incarnation = nextIncarnation()
    this.#standing.attempt()
    this.#reception.begin()
    try {
      const given = spec(this.#incarnation)
      const session = await turnstile.pass(signal, () => this.#fork(given, signal))
      this.#session = session
      if (this.#share < 1) session.pace(this.#share)
      const exited = session.exited.then((exit) => this.#judge(exit))
      return { exited, stop: () => session.stop(), inspect: () => session.inspect() }
    } catch (error) {
      const coded = toGrabberError(error)
      if (coded.code === 'SRC_UNSUPPORTED') return this.#refuse(coded)
      if (!signal.aborted) this.#failed(coded)
      throw error
    }
  }

  #fork(spec: SessionSpec, signal: AbortSignal): Promise<SessionProcess> {
    const { directory, search, visitors } = this.#options
    return startSession({
      name: `camera ${this.id}`,
      incarnation: this.#incarnation,
      spec,
      directory,
      search,
      visitors,
      host: this.#settings.host,
      signal,
      listener: this.#sessionListener(),
    })
  }

  #sessionListener(): SessionListener {
    const { id } = this
    const { listener } = this.#options
    return {
      onStarted: (pid) => listener.onHost(id, pid),
      onOpened: ({ stream }) => this.#reception.opened(stream, this.#settings.stallMs),
      onStream: ({ stream }) => this.#reception.changed(stream),
      onEvent: (message) => listener.onEvent(id, message),
      onBoxes: (message) => listener.onBoxes(id, message),
      onProgress: ({ progress }) => this.#onProgress(progress),
      onCheckpoint: ({ checkpoint, progress }) => {
        this.#onProgress(progress)
        listener.onCheckpoint(id, checkpoint)
      },
      onComplaint: ({ error }) => listener.onComplaint(id, error),
      onLost: (message) => this.#onLost(message),
      onPicture: ({ health, evidence }) => {
        this.#reception.looks(health)
        this.#standing.enter(health, pictureReasons[health], { evidence })
      },
      onEnded: (message) => {
        const { reason, progress } = message
        this.#onProgress(progress)
        listener.onEnded(id, message)
        this.#reception.closed()
        if (reason !== 'end of input') return
        listener.onOver(id)
        this.#standing.enter('end', reason)
      },
      onLedger: (ledger) => {
        this.#reception.over(ledger)
        listener.onLedger(id, this.#reception.ledger)
        listener.onHost(id, null)
      },
    }
  }

  #judge(exit: Exit): Exit {
    this.#session = undefined
    this.#quiet()
    if (exit.kind === 'crash') this.#failed(exit.error)
    return exit
  }

  #onProgress(progress: SessionProgress): void {
    const { listener } = this.#options
    if (this.#reception.take(progress)) this.#standing.enter(this.#reception.picture, 'frames arrive')
    listener.onLedger(this.id, this.#reception.ledger)
    listener.onProgress(this.id, progress)
  }

  /** The host lives and waits. */
  #onLost({ error, progress }: Extract<FromSession, { type: 'lost' }>): void {
    this.#onProgress(progress)
    this.#reception.closed()
    // It is being stopped: there is no next time.
    if (!this.#wanted) return
    this.#failed(fromCoded(error))
    this.#standing.fallAndRetry(() => {
      this.#standing.attempt()
      this.#session?.connect()
    })
  }

  /** A source that this version cannot play does not mend by trying again. */
  #refuse(error: GrabberError): RunningChild {
    this.#options.listener.onFailure(this.id, error)
    this.#standing.enter('end', error.code)
    return { exited: Promise.resolve({ kind: 'normal' }), stop: async () => undefined }
  }

  #failed(error: GrabberError): void {
    this.#standing.failed(error)
    this.#options.listener.onFailure(this.id, error)
  }

  #onTransition(transition: Transition): void {
    const { event, delayMs = 0 } = transition
    if (event === 'quarantined') this.#standing.quarantine()
    if (event === 'backing_off' || event === 'quarantined') this.#standing.fall(delayMs)
    this.#options.listener.onTransition(transition)
  }

  /** No timer of a connection that is over does anything any more. */
  #quiet(): void {
    this.#standing.cancel()
    this.#reception.closed()
  }
}
