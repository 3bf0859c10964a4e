/**
 * A session: one camera or recording, from opening to its last word. Session host only.
 * Owns the passes over its source, one graph each. Must never retry: when the stream fails it says so and ends, and its
 * supervisor decides.
 */
import type { Clock, Timer } from '../core/clock.ts'
import { toGrabberError } from '../core/errors.ts'
import type { InferenceEngine } from '../core/ports.ts'
import type { SessionProgress, ToSession } from '../core/wire/control.ts'
import type { FileSource, LiveSource, SelectionCheckpoint, SessionSpec } from '../core/wire/session-spec.ts'
import type { Activity } from './activity.ts'
import { DecodeGate } from './decode-gate.ts'
import { hasStuckCalls } from './media/patient-call.ts'
import { analysisSize, PictureScaler } from './media/picture-scaler.ts'
import { analysePass } from './pass-analysis.ts'
import { Recording } from './recording.ts'
import { SelectionPass } from './selection-pass.ts'
import type { SessionLink } from './session-link.ts'
import { SessionServices, type SourceFigures } from './session-services.ts'
import { DamageReport } from './sources/damage-report.ts'
import { isSourceFailure } from './sources/dial.ts'
import { LivePass } from './sources/live-pass.ts'
import type { Pass } from './sources/pass.ts'

const PROGRESS_MS = 500
/** While the decoder rests: the daemon hears of fifty cameras that have nothing to say (docs/protocol.md, "progress"). */
const RESTING_PROGRESS_MS = 1000
/** While a camera decodes what it had passed over, no more than so many frames are in the graph: none of them is dropped. */
const LIVE_CATCH_UP_FRAMES = 2

type Trigger = Extract<ToSession, { type: 'trigger' }>

export class Session {
  readonly #spec: SessionSpec
  readonly #link: SessionLink
  readonly #clock: Clock
  readonly #services: SessionServices
  readonly #damage = new DamageReport()
  readonly #stop = new AbortController()
  #pass: Pass | undefined
  #selection: SelectionPass | null = null
  #gate: DecodeGate | undefined
  #figures: SourceFigures = { received: 0, gate: 'off', driftPpm: null, damaged: 0 }
  /** Pictures that earlier connections received. */
  #receivedBefore = 0
  #connect = Promise.withResolvers<void>()
  #ticking: Timer | undefined

  constructor(spec: SessionSpec, link: SessionLink, engine: InferenceEngine, clock: Clock) {
    this.#spec = spec
    this.#link = link
    this.#clock = clock
    this.#services = new SessionServices(spec, link, engine, clock)
  }

  /**
   * Runs all passes over a recording, or a camera's connections until it is stopped, and sends `ended`. Rejects with what
   * ended it: ENG_*, ACT_*, of a recording SRC_* and DEC_*, of a camera what leaves this process unusable.
   */
  async run(): Promise<void> {
    this.#tick()
    try {
      const { source } = this.#spec
      if (source.kind === 'file') await this.#play(source)
      else await this.#watch(source)
    } catch (error) {
      this.#services.abandon()
      // What the stop cut short is no failure: an opening, most of all.
      if (!this.#stopping || toGrabberError(error).code !== 'SRC_TIMEOUT') throw error
    } finally {
      await this.#services.flush()
      await this.#link.flushRecords()
      this.#ticking?.cancel()
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
    this.#connect.resolve()
  }

  /** Connects again, after the camera was lost. */
  connect(): void {
    this.#connect.resolve()
  }

  /** Something outside happened. */
  trigger({ reason, holdMs, keyframe }: Omit<Trigger, 'type' | 'incarnation'>): void {
    this.#gate?.hold(holdMs)
    if (keyframe) this.#services.wishKeyframe(`trigger: ${reason}`)
  }

  /** Analyses only this share of the configured rate from now on. */
  pace(share: number): void {
    this.#services.share = share
  }

  progress(): SessionProgress {
    return this.#services.progress(this.#sourceFigures())
  }

  #tick(): void {
    const ms = this.#gate?.resting ? RESTING_PROGRESS_MS : PROGRESS_MS
    this.#ticking = this.#clock.after(ms, () => {
      this.#tellProgress()
      this.#tick()
    })
  }

  get #stopping(): boolean {
    return this.#stop.signal.aborted
  }

  #tellProgress(): void {
    this.#link.send({ type: 'progress', progress: this.progress() })
  }

  #play(source: FileSource): Promise<void> {
    const recording = new Recording({
      source,
      spec: this.#spec,
      services: this.#services,
      link: this.#link,
      clock: this.#clock,
      damage: this.#damage,
      signal: this.#stop.signal,
      analyse: (pass, from) => this.#analyse(pass, () => false, from),
      selection: () => this.#selection,
      progress: () => this.progress(),
    })
    return recording.play()
  }

  /** One connection after the other; when to try again is said from outside. */
  async #watch(source: LiveSource): Promise<void> {
    let from = { seqBase: 0, ptsBaseMs: 0 }
    let originMs: number | null = this.#spec.originMs
    while (!this.#stopping) {
      this.#connect = Promise.withResolvers()
      let failure: unknown
      try {
        const pass = await this.#dial(source, from, originMs)
        failure = (await this.#analyse(pass, isSourceFailure)).failure
        from = pass.next
        originMs = pass.originMs
      } catch (error) {
        if (!isSourceFailure(error)) throw error
        failure = error
      }
      // A native call that never returned holds a thread and memory of this process.
      if (failure !== undefined && hasStuckCalls()) throw failure
      if (this.#stopping) return
      this.#link.send({ type: 'lost', error: toGrabberError(failure).toJSON(), progress: this.progress() })
      await this.#connect.promise
    }
  }

  #dial(source: LiveSource, from: { seqBase: number; ptsBaseMs: number }, originMs: number | null): Promise<LivePass> {
    const services = this.#services
    return LivePass.open({
      source,
      ...from,
      originMs,
      decode: this.#spec.decode,
      openTimeoutMs: this.#spec.openTimeoutMs,
      clock: this.#clock,
      signal: this.#stop.signal,
      calm: (signal) => services.calm(LIVE_CATCH_UP_FRAMES, signal),
      onDamage: (ptsMs, what) => this.#damage.add(ptsMs, what),
      onUndecoded: (pictures) => services.passOver(pictures, 'idle'),
      onDecoder: () => this.#pass && this.#link.send({ type: 'stream', stream: this.#pass.stream }),
      onLost: (pictures, stage) => services.lose(pictures, stage),
    })
  }

  async #analyse(
    opened: Pass,
    isSourceFailure: (error: unknown) => boolean,
    from: SelectionCheckpoint | null = null,
  ): Promise<{ failure?: unknown }> {
    await using pass = opened
    this.#pass = pass
    if (this.#stopping) pass.stop()
    this.#link.send({ type: 'opened', stream: pass.stream })
    using scaler = new PictureScaler(analysisSize(pass.stream, this.#spec.analysis.widthPx))
    const activity = this.#services.beginPass()
    // Where a recording's replay is cut off nothing has ended: its end words would take the ids of the true ones.
    const concludes = () => !(this.#services.lossless && this.#stopping)
    await using selection = this.#newSelection(scaler, from, concludes)
    this.#selection = selection
    this.#gate = this.#spec.decode.gating ? this.#newGate(pass, scaler, activity) : undefined
    try {
      return await analysePass({
        pass,
        services: this.#services,
        scaler,
        policy: this.#gate ?? null,
        onPicture: (health, evidence) => this.#link.send({ type: 'picture', health, evidence }),
        selection,
        resumeFrom: from?.state ?? null,
        concludes,
        isSourceFailure,
        // So that a camera is live with its first picture.
        onBegun: () => this.#tellProgress(),
      })
    } finally {
      this.#figures = { ...this.#sourceFigures(), gate: 'off' }
      this.#receivedBefore = this.#figures.received
      this.#pass = undefined
      this.#gate = undefined
      this.#selection = null
    }
  }

  #newSelection({ size }: PictureScaler, from: SelectionCheckpoint | null, concludes: () => boolean) {
    const { keyframes: spec } = this.#spec
    const { services, link, clock } = { services: this.#services, link: this.#link, clock: this.#clock }
    return spec && new SelectionPass({ spec, services, link, clock, size, from, concludes })
  }

  #newGate({ stream }: Pass, scaler: PictureScaler, activity: Activity): DecodeGate {
    const { motion } = this.#spec.analysis
    const services = this.#services
    return new DecodeGate({
      ...motion,
      fps: stream.fps,
      activity,
      scaler,
      clock: this.#clock,
      settled: async () => {
        // A camera must not wait for an engine: it asks again at the next I-frame.
        if (services.lossless) await services.calm(0, this.#stop.signal)
        return services.inFlight === 0
      },
    })
  }

  #sourceFigures(): SourceFigures {
    const pass = this.#pass
    if (!pass) return this.#figures
    return {
      received: this.#receivedBefore + pass.received,
      gate: this.#gate === undefined ? 'off' : this.#gate.resting ? 'idle' : 'active',
      driftPpm: pass.driftPpm,
      damaged: this.#damage.damage.count,
    }
  }
}
