/**
 * The branch of the graph that selects keyframes: measures of a candidate, what is decided about it, its picture, and the words
 * about it. Session host only. Owns all state of selection of one pass. Deterministic: looks at pixels and PTS alone. What it keeps
 * of a frame is a coded picture; the frame stays its holder's.
 */
import type { FrameInfo } from '../core/frame.ts'
import type { Size } from '../core/geometry.ts'
import type { FrameRecord, KeyframeRecord } from '../core/keyframe.ts'
import type { FrameMeasures } from '../core/measures.ts'
import type { FrameLook } from '../core/shot.ts'
import type { KeyframeSpec, SelectionCheckpoint } from '../core/wire/session-spec.ts'
import { FrameMeter } from './analysis/measures/frame-meter.ts'
import { scorePicture } from './analysis/picture-score.ts'
import { saliencyOf } from './analysis/saliency.ts'
import { KeyframeSelector } from './analysis/selection/keyframe-selector.ts'
import type { DecidedFrame, SelectionStep } from './analysis/selection/selection-words.ts'
import { FrameLooks, type LooksState } from './analysis/shots/frame-looks.ts'
import { selectionEvent } from './event-draft.ts'
import type { FrameRef } from './frames/frame-ref.ts'
import type { FeaturedCandidate, FeaturesState, GraphEvent } from './graph-item.ts'
import { type KeptPicture, KeyframePictures, type PictureStore } from './keyframe-pictures.ts'
import { FullLuma, pixelHash } from './media/full-luma.ts'

/** What the branch needs of its session. */
export interface BranchPorts {
  epoch: string
  time<T>(stage: string, work: () => T): T
  timeAsync<T>(stage: string, work: () => Promise<T>): Promise<T>
  store: PictureStore | null
  /** Records in order of decision; waits while too many are under way. */
  tell(records: readonly (FrameRecord | KeyframeRecord)[]): Promise<void>
  /** A checkpoint is wanted soon: the next candidate that allows one is remembered. */
  wantsPoint(): boolean
}

/** A frame after which selection can go on elsewhere. */
export type SelectionPoint = Pick<SelectionCheckpoint, 'seq' | 'ptsMs' | 'pixelHash' | 'state'>

interface BranchState {
  selector: string
  looks: LooksState
  features: FeaturesState
}

export class KeyframeBranch implements AsyncDisposable {
  readonly spec: KeyframeSpec
  /** Where the stage that asks the model begins: with a look at the first candidate. */
  features: FeaturesState = { semantic: null, since: Number.POSITIVE_INFINITY }
  readonly #size: Size
  readonly #ports: BranchPorts
  readonly #meter: FrameMeter
  readonly #luma = new FullLuma()
  readonly #pictures: KeyframePictures
  /** Of held candidates: when the light hit the sensor. */
  readonly #seen = new Map<number, FrameInfo>()
  /** Of candidates that are not decided. */
  readonly #looks = new Map<number, FrameLook>()
  readonly #shots = new FrameLooks()
  #selector: KeyframeSelector
  #entered = -1
  #stepped = -1
  #point: SelectionPoint | null = null

  /** `size` of the analysis picture. */
  constructor(spec: KeyframeSpec, size: Size, ports: BranchPorts) {
    this.spec = spec
    this.#size = size
    this.#ports = ports
    this.#meter = new FrameMeter(size)
    this.#pictures = new KeyframePictures(spec, ports.store)
    this.#selector = new KeyframeSelector(spec, size)
  }

  /** seq of the last candidate that was measured. */
  get entered(): number {
    return this.#entered
  }

  /** Whether the last candidate could be a checkpoint, as far as is known. */
  get mayPoint(): boolean {
    return this.#stepped !== this.#entered || this.#point !== null
  }

  /** The point at the last candidate, once everything about it is told; `null` where work cannot be resumed from there. */
  get point(): SelectionPoint | null {
    return this.#stepped === this.#entered ? this.#point : null
  }

  measure(frame: FrameRef): FrameMeasures {
    this.#entered = frame.info.seq
    return this.#ports.time('measure', () => this.#meter.measure({ small: frame.yuv, full: this.#luma.of(frame.full) }))
  }

  /** The words about what is decided by now. Candidates in order, each when the one before is done. Errors: DEC_FAILED, STO_*. */
  async select({ frame, quality: measures, features }: FeaturedCandidate): Promise<GraphEvent[]> {
    const { info } = frame
    const { time, timeAsync } = this.#ports
    const score = scorePicture(measures, this.spec)
    const saliency = saliencyOf(measures, features.semantic, this.spec.saliencyWeights)
    time('shots', () => this.#shots.see(frame.luma, info.ptsMs))
    const scene = this.#shots.dissolves
    const candidate = { seq: info.seq, ptsMs: info.ptsMs, scene, luma: frame.luma, measures, score, saliency }
    const step = time('select', () => this.#selector.step(candidate))
    this.#looks.set(info.seq, this.#shots.tell(this.#selector.motion))
    if (step.hold) {
      this.#seen.set(info.seq, info)
      await timeAsync('hold', () => this.#pictures.hold(frame))
    }
    const mayGoOn = this.#selector.checkpointable && this.#shots.checkpointable
    this.#point = this.#ports.wantsPoint() && mayGoOn ? this.#pointAt(frame, features) : null
    const events = await this.#conclude(step)
    this.#stepped = info.seq
    return events
  }

  /** Goes on behind `frame` as if nothing had happened; before anything is selected. */
  resume(frame: FrameRef, state: string): void {
    const { selector, looks, features } = JSON.parse(state) as BranchState
    this.features = features
    this.#shots.load(looks, frame.luma)
    this.#selector = KeyframeSelector.resume(this.spec, this.#size, selector, frame.luma)
  }

  /** The end of the sequence: what is still held is decided. */
  finish(): Promise<GraphEvent[]> {
    return this.#conclude(this.#selector.finish())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#luma[Symbol.dispose]()
    await this.#pictures[Symbol.asyncDispose]()
  }

  async #conclude({ records, keep, forget }: SelectionStep): Promise<GraphEvent[]> {
    const chosen = new Set(keep)
    const told: (FrameRecord | KeyframeRecord)[] = []
    const events: GraphEvent[] = []
    for (const decided of records) {
      const record = this.#withLook(decided)
      if (!chosen.has(record.seq)) {
        told.push(record)
        continue
      }
      const picture = await this.#ports.timeAsync('keep', () => this.#pictures.keep(record.seq))
      const kept = keyframeRecord(record, picture)
      told.push(kept)
      events.push(selectionEvent(this.#seen.get(record.seq)!, kept, picture.file, this.#ports.epoch))
      this.#seen.delete(record.seq)
    }
    for (const seq of forget) {
      this.#pictures.forget(seq)
      this.#seen.delete(seq)
    }
    await this.#ports.tell(told)
    return events
  }

  #withLook(record: DecidedFrame): DecidedFrame {
    const look = this.#looks.get(record.seq)
    this.#looks.delete(record.seq)
    return look ? { ...record, look } : record
  }

  #pointAt(frame: FrameRef, features: FeaturesState): SelectionPoint {
    const { seq, ptsMs } = frame.info
    const state: BranchState = { selector: this.#selector.state(), looks: this.#shots.save(), features }
    return { seq, ptsMs, pixelHash: pixelHash(this.#luma.of(frame.full)), state: JSON.stringify(state) }
  }
}

function keyframeRecord(record: DecidedFrame, { file, ...picture }: KeptPicture): KeyframeRecord {
  if (!record.chosen || !('links' in record)) throw new Error(`frame ${record.seq} was kept and not chosen`)
  return { ...record, chosen: true, file: file ?? '', ...picture }
}
