/**
 * What the graph of a session shares: ledger, leases, admission, durations, the way to the daemon. Session host only.
 * The one place where a frame is captured and where it gets its verdict.
 */
import type { Clock } from '../core/clock.ts'
import { type CodedError, GrabberError, toGrabberError } from '../core/errors.ts'
import type { FrameInfo } from '../core/frame.ts'
import { type DropKey, FrameLedger, type SkipPolicy } from '../core/ledger.ts'
import type { EndedTrack, GalleryHit, Sighting } from '../core/observation.ts'
import type { InferenceEngine } from '../core/ports.ts'
import type { SessionProgress, StageTimes } from '../core/wire/control.ts'
import type { FacesSpec, SessionSpec } from '../core/wire/session-spec.ts'
import { type Activity, noActivity } from './activity.ts'
import { measureQuality } from './analysis/measures/quality.ts'
import { keyframeEvent } from './event-draft.ts'
import { Admission } from './frames/admission.ts'
import { FrameRef, LeaseCounter } from './frames/frame-ref.ts'
import { type GraphServices, SESSION_FAILED, type Seen } from './graph-item.ts'
import { KeyframeWishes } from './keyframe-wishes.ts'
import { cutJpeg } from './media/cutter.ts'
import type { PictureScaler } from './media/picture-scaler.ts'
import { PictureFolder } from './picture-folder.ts'
import type { SessionLink } from './session-link.ts'
import type { Captured } from './sources/pass.ts'
import { StageClock } from './stage-times.ts'

/** Frames between capture and verdict when nothing may be dropped: the detector's two, the embedder's two, two to come. */
export const LOSSLESS_FRAMES = 6
/** Frames of a camera between detector and verdict: the embedder's two and a few that wait behind a slow face. */
export const LIVE_TAIL_FRAMES = 8
const COMPLAINT_MS = 1000
const MAX_KEYFRAME_SIDE_PX = 3840

/** What only the source knows. */
export type SourceFigures = Pick<SessionProgress, 'received' | 'gate' | 'driftPpm' | 'damaged'>

export class SessionServices implements GraphServices {
  readonly spec: SessionSpec
  readonly faces: FacesSpec | null
  readonly engine: InferenceEngine
  activity: Activity = noActivity()
  /** Of the configured rate, under load. */
  share = 1
  /** Nothing may be dropped: the reader waits. */
  readonly lossless: boolean
  readonly #link: SessionLink
  readonly #clock: Clock
  readonly #ledger = new FrameLedger()
  readonly #leases = new LeaseCounter()
  readonly #admission: Admission
  readonly #tail: Admission
  readonly #inTail = new Set<number>()
  readonly #stages: StageClock
  readonly #pictures: PictureFolder | undefined
  readonly #counted = { faces: 0, tracks: 0 }
  readonly #wishes = new KeyframeWishes()
  #lastPtsMs: number | null = null
  #lastSeq = -1
  #complainedMs = Number.NEGATIVE_INFINITY

  constructor(spec: SessionSpec, link: SessionLink, engine: InferenceEngine, clock: Clock) {
    this.spec = spec
    this.faces = spec.faces
    this.engine = engine
    this.lossless = spec.source.overflow === 'wait'
    this.#link = link
    this.#clock = clock
    this.#stages = new StageClock(clock)
    this.#admission = new Admission(this.lossless ? LOSSLESS_FRAMES : Number.POSITIVE_INFINITY)
    this.#tail = new Admission(this.lossless ? Number.POSITIVE_INFINITY : LIVE_TAIL_FRAMES)
    this.#pictures = spec.picturesDir === null ? undefined : new PictureFolder(spec.picturesDir, spec.camera)
  }

  /** A pass has a graph of its own, which has seen nothing yet. */
  beginPass(): Activity {
    this.activity = noActivity()
    return this.activity
  }

  /** Resolves when the reader may take one more frame, or `signal` is aborted. */
  room(signal: AbortSignal): Promise<void> {
    return this.#admission.room(signal)
  }

  async enterTail({ seq }: FrameInfo): Promise<void> {
    await this.#tail.acquire()
    this.#inTail.add(seq)
  }

  /** Enters a decoded frame into the ledger; `undefined` when it came too late to play a camera. */
  capture({ info, full, late, origin }: Captured, scaler: PictureScaler): FrameRef | undefined {
    this.#ledger.captured(info.seq)
    this.#admission.enter()
    this.#lastPtsMs = info.ptsMs
    this.#lastSeq = info.seq
    const frame = new FrameRef(info, full, scaler, this.#leases, origin)
    const reasons = this.#wishes.fulfilledBy(info, this.#clock.nowMs())
    if (reasons.length > 0) this.#keepKeyframe(frame, reasons)
    if (!late || this.lossless) return frame
    this.drop(frame, 'source.late')
    return undefined
  }

  /** Pictures that were not decoded. */
  passOver(pictures: number, why: SkipPolicy): void {
    this.#ledger.undecoded(pictures, { skipped: why })
  }

  /** Pictures that were lost before the decoder. */
  lose(pictures: number, stage: 'decode' | 'source'): void {
    this.#ledger.undecoded(pictures, { dropped: `${stage}.overflow` })
  }

  /** Resolves when at most so many frames are on their way, or `signal` is aborted. */
  calm(frames: number, signal: AbortSignal): Promise<void> {
    return this.#admission.below(frames + 1, signal)
  }

  /** Frames on their way through the graph. */
  get inFlight(): number {
    return this.#admission.held
  }

  skip(frame: FrameRef, policy: SkipPolicy): void {
    this.#ledger.skipped(frame.info.seq, policy)
    frame.release()
    this.#settled(frame.info)
  }

  drop(frame: FrameRef, key: DropKey): void {
    this.#ledger.dropped(frame.info.seq, key)
    frame.release()
    this.#settled(frame.info)
  }

  /** The graph has failed: what it had not finished is dropped. Its leases are released by its operators. */
  abandon(): void {
    this.#ledger.dropOpen(SESSION_FAILED)
  }

  /** Sends a frame's words, then its verdict: `analysed`. */
  async conclude({ info, events, boxes }: Seen): Promise<void> {
    for (const event of events) await this.#link.event(event)
    if (!info) return
    if (!this.lossless) this.#link.send({ type: 'boxes', ptsMs: info.ptsMs, seq: info.seq, boxes })
    this.#ledger.analysed(info.seq)
    this.#settled(info)
  }

  match(embedding: Float32Array, k: number): Promise<GalleryHit[]> {
    return this.#link.match(embedding, k, this.spec.askDeadlineMs)
  }

  remember(sighting: Sighting): Promise<string | null> {
    return this.#link.remember(sighting, this.spec.askDeadlineMs)
  }

  keep(track: EndedTrack): void {
    this.#link.send({ type: 'track', track })
  }

  time<T>(stage: string, work: () => T): T {
    return this.#stages.time(stage, work)
  }

  timeAsync<T>(stage: string, work: () => Promise<T>): Promise<T> {
    return this.#stages.timeAsync(stage, work)
  }

  countFaces(n: number): void {
    this.#counted.faces += n
  }

  countTracks(n: number): void {
    this.#counted.tracks += n
  }

  keepPicture(stem: string, jpeg: () => Buffer | undefined): string | undefined {
    const picture = this.#pictures && jpeg()
    return picture && this.keepFile(`${stem}.jpg`, picture)
  }

  /** Keeps a picture in the camera's folder, in the background; its name, or `undefined` when pictures are not kept. */
  keepFile(name: string, bytes: Buffer): string | undefined {
    return this.#pictures?.keep(name, bytes, (cause) => this.complain(unwritable(cause)))
  }

  /** Keeps the next picture that was captured from now on as a keyframe. */
  wishKeyframe(reason: string): void {
    this.#wishes.add(reason, this.#clock.nowMs())
  }

  complain(error: CodedError): void {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#complainedMs < COMPLAINT_MS) return
    this.#complainedMs = nowMs
    const { code, message, remedy } = error
    this.#link.send({ type: 'complaint', error: { code, message, remedy } })
  }

  /** Seq of the frame that was captured last; −1 before the first. */
  get lastSeq(): number {
    return this.#lastSeq
  }

  /** A frame that an earlier session analysed and counted: pixels to go on from, and nothing else. The caller releases it. */
  borrow({ info, full, origin }: Captured, scaler: PictureScaler): FrameRef {
    return new FrameRef(info, full, scaler, this.#leases, origin)
  }

  /** Waits for what is still being written. */
  async flush(): Promise<void> {
    await this.#pictures?.flush()
  }

  progress({ received, gate, driftPpm, damaged }: SourceFigures): SessionProgress {
    return {
      ledger: this.#ledger.counts(),
      received,
      gate,
      driftPpm,
      damaged,
      leases: this.#leases.open,
      lastPtsMs: this.#lastPtsMs,
      rssBytes: process.memoryUsage.rss(),
      ...this.#counted,
      samples: this.#stages.takeSamples(),
    }
  }

  stages(): Record<string, StageTimes> {
    return this.#stages.summary()
  }

  /** A picture that cannot be kept costs the wish, and not the session. */
  #keepKeyframe(frame: FrameRef, reasons: readonly string[]): void {
    const name = `${this.spec.epoch}-${frame.info.seq}`
    try {
      const file = this.keepPicture(`keyframe-${name}`, () => wholeJpeg(frame))
      if (file === undefined) return
      const quality = measureQuality(frame.luma)
      for (const reason of reasons)
        void this.#link.event(keyframeEvent(frame.info, quality, { key: `${name}/${reason}`, reason, file }))
    } catch (error) {
      this.complain(toGrabberError(error))
    }
  }

  #settled({ seq }: FrameInfo): void {
    if (this.#inTail.delete(seq)) this.#tail.leave()
    this.#admission.leave()
  }
}

/** The whole picture, made smaller when it is larger than 4K. */
function wholeJpeg({ full }: FrameRef): Buffer | undefined {
  return cutJpeg(full, { x: 0, y: 0, width: full.width, height: full.height }, MAX_KEYFRAME_SIDE_PX)
}

function unwritable(cause: unknown): GrabberError {
  const code = cause instanceof Error && 'code' in cause ? ` (${cause.code})` : ''
  return new GrabberError('STO_UNUSABLE', `a picture cannot be written${code}`, { cause })
}
