/**
 * One recording through a session, restarted from its last checkpoint until it ends or cannot: what replays and extractions
 * have in common. Runs in the daemon, or in the command that asks. Owns the supervisor of its session and the sums over
 * incarnations; what an incarnation did after its last checkpoint does not count.
 */
import { GrabberError } from '../core/errors.ts'
import { addLedgers, emptyLedger, type LedgerCounts } from '../core/ledger.ts'
import type { FromSession, SessionProgress } from '../core/wire/control.ts'
import type { Checkpoint, FileSource, SessionSpec } from '../core/wire/session-spec.ts'
import type { StreamInfo } from '../core/wire/stream-info.ts'
import type { EngineDirectory } from './engine-directory.ts'
import type { HostSettings } from './host-settings.ts'
import type { Exit, RunningChild, StartContext } from './kernel/child.ts'
import { Supervisor } from './kernel/supervisor.ts'
import { type SessionListener, type SessionOptions, startSession } from './session-process.ts'

/** Without an engine for this long, the job fails. */
const ENGINE_WAIT_MS = 60_000
/** More crashes than this within a minute, and the job fails. */
const INTENSITY = 5
const PERIOD_MS = 60_000
const BACKOFF = { minMs: 200, maxMs: 10_000, factor: 2, jitterRatio: 0.2 }
const SHUTDOWN_MS = 10_000

export interface RecordingRunOptions extends Pick<SessionOptions, 'search' | 'visitors'> {
  name: string
  spec: SessionSpec<FileSource>
  /** Where it begins; what came before is in nobody's sums. */
  from: Checkpoint | null
  directory: EngineDirectory
  host: HostSettings
  /** An incarnation begins: whatever came after the last checkpoint comes again. */
  onBegin?(): void
  /**
   * What this kind of job takes; a throw ends the session as a crash. All before a checkpoint has been taken when it is called.
   */
  listener: Pick<SessionListener, 'onEvent' | 'onSelection'> & {
    onCheckpoint?(checkpoint: Checkpoint, totals: RecordingTotals): void
  }
  onProgress?(ptsMs: number | null, stream: StreamInfo): void
  onRestart?(error: GrabberError, attempt: number): void
}

type Ended = Extract<FromSession, { type: 'ended' }>

export interface RecordingOutcome extends Pick<Ended, 'stages' | 'damage' | 'peakRssBytes' | 'reason'> {
  stream: StreamInfo
  /** Of what counts: what a dead incarnation did after its last checkpoint was done again. */
  totals: RecordingTotals
  /** Leases held at the end; 0. */
  leases: number
  /** From the opened source to the last word of the incarnation that ended: the work without starts and stops. */
  analysisMs: number
  /** Incarnations beyond the first. */
  restarts: number
}

export interface RecordingTotals {
  ledger: LedgerCounts
  faces: number
  tracks: number
  /** Media time of the last frame, over all passes. */
  lastPtsMs: number
}

export class RecordingRun {
  readonly #options: RecordingRunOptions
  readonly #outcome = Promise.withResolvers<RecordingOutcome>()
  #supervisor: Supervisor | undefined
  #incarnation = 0
  #stream: StreamInfo | undefined
  #openedMs: number | undefined
  #from: Checkpoint | null
  /** Totals at `#from`. */
  #base: RecordingTotals = { ledger: emptyLedger(), faces: 0, tracks: 0, lastPtsMs: 0 }
  /** Totals when the present incarnation started. */
  #start = this.#base

  constructor(options: RecordingRunOptions) {
    this.#options = options
    this.#from = options.from
  }

  /**
   * Runs to the end. Rejects with SRC_*, DEC_* at once, with ACT_GAVE_UP after too many crashes, ENG_UNAVAILABLE when the
   * engine stays away, ACT_STOPPED when it was stopped before the recording was open, and with what `fail` was told.
   */
  async run(): Promise<RecordingOutcome> {
    const { name, host } = this.#options
    const supervisor = Supervisor.start(
      {
        id: name,
        strategy: 'one_for_one',
        intensity: INTENSITY,
        periodMs: PERIOD_MS,
        backoff: BACKOFF,
        backoffResetMs: PERIOD_MS,
        onExceeded: 'escalate',
        children: [
          { id: 'session', restart: 'transient', shutdownMs: SHUTDOWN_MS, start: (context) => this.#begin(context) },
        ],
      },
      { clock: host.clock, logger: host.logger },
    )
    this.#supervisor = supervisor
    void supervisor.exited.then((exit) => this.#outcome.reject(gaveUp(name, exit)))
    try {
      return await this.#outcome.promise
    } finally {
      await supervisor.stop()
    }
  }

  /** Ends early: what is in flight is finished, and the outcome says `stopped`. */
  async stop(): Promise<void> {
    await this.#supervisor?.stop()
  }

  /** Ends the run with this error: it is of no use to try again. */
  fail(error: unknown): void {
    this.#outcome.reject(error)
  }

  inspect(): unknown {
    return this.#supervisor?.inspect()
  }

  async #begin(context: StartContext): Promise<RunningChild> {
    const { spec, name, directory, search, visitors, host, listener, onBegin } = this.#options
    if (spec.faces || spec.keyframes?.features) await this.#engine(context.signal)
    this.#incarnation++
    onBegin?.()
    this.#start = this.#base
    this.#openedMs = undefined
    const child = await startSession({
      name,
      incarnation: this.#incarnation,
      spec: { ...spec, source: { ...spec.source, from: this.#from } },
      directory,
      search,
      visitors,
      host,
      signal: context.signal,
      listener: {
        ...listener,
        onOpened: ({ stream }) => {
          this.#stream = stream
          this.#openedMs ??= host.clock.monotonicMs()
        },
        onProgress: ({ progress }) => this.#stream && this.#options.onProgress?.(progress.lastPtsMs, this.#stream),
        onCheckpoint: ({ checkpoint, progress }) => {
          const totals = this.#totals(progress)
          listener.onCheckpoint?.(checkpoint, totals)
          this.#from = checkpoint
          this.#base = totals
        },
        onComplaint: ({ error }) => host.logger.warn({ job: name, code: error.code }, error.message),
        onEnded: (message) => this.#finish(message),
        onLedger: () => undefined,
      },
    })
    const exited = child.exited.then((exit) => this.#judge(exit))
    return { exited, stop: () => child.stop(), inspect: () => child.inspect() }
  }

  /** A session without an engine could only wait and fail: the job waits in its place. */
  async #engine(signal: AbortSignal): Promise<void> {
    const { name, directory, host } = this.#options
    if (directory.available) return
    host.logger.warn({ job: name }, 'waits for the engine')
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const seat = directory.seat(({ engine }) => engine && resolve(true))
    const timer = host.clock.after(ENGINE_WAIT_MS, () => resolve(false))
    const stop = () => resolve(true)
    signal.addEventListener('abort', stop, { once: true })
    const came = await promise
    seat.leave()
    timer.cancel()
    signal.removeEventListener('abort', stop)
    signal.throwIfAborted()
    if (came) return
    const error = new GrabberError('ENG_UNAVAILABLE', `${name} had no engine for ${ENGINE_WAIT_MS / 1000} s`)
    this.#outcome.reject(error)
    throw error
  }

  #finish({ stages, damage, peakRssBytes, reason, progress }: Ended): void {
    const restarts = this.#incarnation - 1
    const totals = this.#totals(progress)
    const { leases } = progress
    const nowMs = this.#options.host.clock.monotonicMs()
    const analysisMs = nowMs - (this.#openedMs ?? nowMs)
    const counted = { totals, leases, analysisMs, restarts }
    const stream = this.#stream
    if (stream) this.#outcome.resolve({ stages, damage, peakRssBytes, reason, stream, ...counted })
    else this.#outcome.reject(new GrabberError('ACT_STOPPED', `${this.#options.name} was stopped before it was open`))
  }

  /** What is wrong with the input does not mend: the job ends in order instead of being restarted. */
  #judge(exit: Exit): Exit {
    if (exit.kind !== 'crash') return exit
    if (isFinal(exit.error)) {
      this.#outcome.reject(exit.error)
      return { kind: 'normal' }
    }
    this.#options.onRestart?.(exit.error, this.#incarnation)
    return exit
  }

  #totals({ ledger, faces, tracks, lastPtsMs }: SessionProgress): RecordingTotals {
    const before = this.#start
    return {
      ledger: addLedgers(before.ledger, ledger),
      faces: before.faces + faces,
      tracks: before.tracks + tracks,
      lastPtsMs: lastPtsMs ?? before.lastPtsMs,
    }
  }
}

/** Errors of the input, the model files, the configuration and of what is written to; everything else may pass. */
function isFinal(error: GrabberError): boolean {
  return [2, 3, 4].includes(error.exitStatus) || error.code.startsWith('STO_')
}

function gaveUp(name: string, exit: Exit): GrabberError {
  if (exit.kind !== 'crash') return new GrabberError('ACT_STOPPED', `${name} was stopped before its session began`)
  const { message, code } = exit.error
  return new GrabberError('ACT_GAVE_UP', `${name} failed too often, last with ${code}: ${message}`, {
    cause: exit.error,
  })
}
