/**
 * A session: one camera or recording, from opening to its last word. Session host only.
 * Owns the passes over its source, one graph each. Must never retry: when the stream fails it says so and ends, and its
 * supervisor decides.
 */
import { availableParallelism } from 'node:os'
import { filter, lastValueFrom, map } from 'rxjs'
import type { Clock } from '../core/clock.ts'
import { GrabberError, toGrabberError } from '../core/errors.ts'
import type { InferenceEngine } from '../core/ports.ts'
import type { SessionProgress } from '../core/wire/control.ts'
import type { Checkpoint, FileSource, SessionSpec } from '../core/wire/session-spec.ts'
import { cameraGraph } from './camera-graph.ts'
import type { Seen } from './graph-item.ts'
import { analysisSize, PictureScaler } from './media/picture-scaler.ts'
import { bounded } from './operators/bounded.ts'
import type { SessionLink } from './session-link.ts'
import { LIVE_TAIL_FRAMES, LOSSLESS_FRAMES, SessionServices } from './session-services.ts'
import { DamageReport } from './sources/damage-report.ts'
import { FilePass } from './sources/file-pass.ts'

/** Frames that may wait for the detector when the newest wins. */
const LIVE_DETECT_QUEUE = 2
/** The places behind a camera's detector, and the words at the end of a pass. */
const LIVE_TAIL_QUEUE = LIVE_TAIL_FRAMES + 2
/** A lossless session's stages can all hold what was admitted, and the words at the end of a pass. */
const LOSSLESS_QUEUE = LOSSLESS_FRAMES + 2
const PROGRESS_MS = 500
/**
 * A recording may use every core (0: FFmpeg chooses); of cameras there are many. Where there are only two cores the engine
 * and this process fill them: more decoder threads get in their way, 9 % fewer frames a second (docs/performance.md).
 */
const LOSSLESS_DECODER_THREADS = availableParallelism() > 2 ? 0 : 1
const LIVE_DECODER_THREADS = 1

export class Session {
  readonly #spec: SessionSpec
  readonly #link: SessionLink
  readonly #clock: Clock
  readonly #services: SessionServices
  readonly #damage = new DamageReport()
  readonly #stop = new AbortController()
  #pass: FilePass | undefined

  constructor(spec: SessionSpec, link: SessionLink, engine: InferenceEngine, clock: Clock) {
    this.#spec = spec
    this.#link = link
    this.#clock = clock
    this.#services = new SessionServices(spec, link, engine, clock)
  }

  /** Runs all passes and sends `ended`. Rejects with what ended the stream: SRC_*, DEC_*, ENG_*, ACT_*. */
  async run(): Promise<void> {
    const ticking = setInterval(() => this.#link.send({ type: 'progress', progress: this.progress() }), PROGRESS_MS)
    try {
      const { source } = this.#spec
      if (source.kind !== 'file')
        throw new GrabberError('SRC_UNSUPPORTED', `${source.protocol} sources are not built yet`)
      await this.#playFile(source)
    } catch (error) {
      this.#services.abandon()
      // What the stop cut short is no failure: an opening, most of all.
      if (!this.#stopping || toGrabberError(error).code !== 'SRC_TIMEOUT') throw error
    } finally {
      await this.#services.flush()
      clearInterval(ticking)
    }
    this.#link.send({
      type: 'ended',
      reason: this.#stopping ? 'stopped' : 'end of input',
      progress: this.progress(),
      stages: this.#services.stages(),
      damage: this.#damage.damage,
      peakRssBytes: process.resourceUsage().maxRSS * 1024,
    })
  }

  /** Ends the source; what is in flight is finished. */
  stop(): void {
    this.#stop.abort()
    this.#pass?.stop()
  }

  progress(): SessionProgress {
    return this.#services.progress()
  }

  get #stopping(): boolean {
    return this.#stop.signal.aborted
  }

  async #playFile(source: FileSource): Promise<void> {
    let from: Checkpoint = source.from ?? { loop: 0, seqBase: 0, ptsBaseMs: 0 }
    while (from.loop < source.passes && !this.#stopping) from = await this.#runPass(source, from)
  }

  async #runPass(source: FileSource, from: Checkpoint): Promise<Checkpoint> {
    const { openTimeoutMs, originMs, analysis } = this.#spec
    await using pass = await FilePass.open({
      ...from,
      path: source.path,
      speed: source.speed,
      openTimeoutMs,
      originMs,
      threads: this.#services.lossless ? LOSSLESS_DECODER_THREADS : LIVE_DECODER_THREADS,
      room: (signal) => this.#services.room(signal),
      signal: this.#stop.signal,
      clock: this.#clock,
      onDamage: (ptsMs, what) => this.#damage.add(ptsMs, what),
    })
    this.#pass = pass
    if (this.#stopping) pass.stop()
    this.#link.send({ type: 'opened', stream: pass.stream })
    using scaler = new PictureScaler(analysisSize(pass.stream, analysis.widthPx))
    await this.#analyse(pass, scaler)
    const next: Checkpoint = { loop: from.loop + 1, ...pass.next }
    if (!this.#stopping) this.#link.send({ type: 'checkpoint', checkpoint: next, progress: this.progress() })
    return next
  }

  async #analyse(pass: FilePass, scaler: PictureScaler): Promise<void> {
    const services = this.#services
    const frames = pass.frames().pipe(
      map((captured) => services.capture(captured, scaler)),
      filter((frame) => frame !== undefined),
    )
    const detectQueue = services.lossless ? LOSSLESS_QUEUE : LIVE_DETECT_QUEUE
    const tailQueue = services.lossless ? LOSSLESS_QUEUE : LIVE_TAIL_QUEUE
    const seen = cameraGraph(frames, services, scaler.size, { detectQueue, tailQueue }).pipe(
      // Where a recording's replay is cut off nothing has ended: its end words would take the ids of the true ones.
      filter(({ info }) => info !== null || !(services.lossless && this.#stopping)),
    )
    const concluded = seen.pipe(
      bounded<Seen, void>({
        inFlight: 1,
        queue: tailQueue,
        overflow: 'wait',
        project: (words) => services.conclude(words),
        onDrop: () => undefined,
        isItemFailure: () => false,
      }),
    )
    await lastValueFrom(concluded, { defaultValue: undefined })
  }
}
