/**
 * When the decoder of a session may rest, and what wakes it. Session host only.
 * Media time and pictures decide, so that a replay rests and wakes where it did before; only a trigger from outside comes by
 * the wall clock, and recordings have none.
 */
import type { Clock } from '../core/clock.ts'
import type { Activity } from './activity.ts'
import { type BlockGrid, blockMeans, medianGreyLevel } from './analysis/difference.ts'
import { PacketActivity, type PacketMoment } from './analysis/packet-activity.ts'
import type { RestPolicy } from './media/gated-decoder.ts'
import type { NativeFrame } from './media/native-frame.ts'
import type { PictureScaler } from './media/picture-scaler.ts'

/**
 * A face that is still there keeps the decoder awake for so long after the last movement: somebody who sits still is not
 * lost, and a portrait on the wall does not cost a day's decoding. ms of media time.
 */
const STILL_FACE_MS = 30_000

export interface DecodeGateOptions {
  fps: number | null
  quietMs: number
  /** Of the motion gate: share of blocks, and grey levels of a block. */
  minAreaRatio: number
  pixelThreshold: number
  activity: Activity
  scaler: PictureScaler
  /** Everything that was decoded has its verdict, or will not be waited for: false. */
  settled(): Promise<boolean>
  clock: Clock
}

export class DecodeGate implements RestPolicy {
  readonly #options: DecodeGateOptions
  readonly #packets: PacketActivity
  #resting = false
  #last: BlockGrid | undefined
  /** Media time at which it woke last; the beginning counts. */
  #wokeAtMs: number | undefined
  #heldUntilMs = Number.NEGATIVE_INFINITY

  constructor(options: DecodeGateOptions) {
    this.#options = options
    this.#packets = new PacketActivity(options.fps)
  }

  get resting(): boolean {
    return this.#resting
  }

  /** Something outside happened: decode everything for `holdMs` from now on. */
  hold(holdMs: number): void {
    this.#heldUntilMs = Math.max(this.#heldUntilMs, this.#options.clock.monotonicMs() + holdMs)
  }

  saw(bytes: number, key: boolean): void {
    if (key) return
    this.#packets.step(bytes, this.#moment())
  }

  async mayRest(): Promise<boolean> {
    const { activity, quietMs } = this.#options
    if (this.#held || !this.#quiet(quietMs)) return false
    if (!(await this.#options.settled())) return false
    // What was in flight may have moved, or shown a face.
    if (!this.#quiet(quietMs) || (activity.tracks > 0 && !this.#quiet(STILL_FACE_MS))) return false
    if (activity.movedAtMs < this.#wokeAtMs!) this.#packets.falseAlarm()
    this.#resting = true
    return true
  }

  stirs(): boolean {
    return this.#held || this.#packets.active
  }

  differs(frame: NativeFrame, fresh: boolean): boolean {
    const { scaler, minAreaRatio, pixelThreshold } = this.#options
    using small = scaler.small(frame)
    const grid = blockMeans(small.yuv.luma)
    const before = fresh ? undefined : this.#last
    this.#last = grid
    return before !== undefined && changedRatio(before, grid, pixelThreshold) >= minAreaRatio
  }

  woke(): void {
    this.#resting = false
    this.#wokeAtMs = this.#options.activity.seenAtMs
  }

  get sizesTell(): boolean {
    return this.#packets.tells
  }

  #moment(): PacketMoment {
    if (this.#resting) return this.#packets.active ? 'unknown' : 'quiet'
    if (this.#options.activity.moving) return 'moving'
    return this.#quietForMs() > 0 ? 'quiet' : 'unknown'
  }

  get #held(): boolean {
    return this.#options.clock.monotonicMs() < this.#heldUntilMs
  }

  #quiet(forMs: number): boolean {
    return !this.#options.activity.moving && this.#quietForMs() >= forMs
  }

  /** Media time since something moved or it woke, as far as the motion gate has come. */
  #quietForMs(): number {
    const { seenAtMs, movedAtMs } = this.#options.activity
    if (seenAtMs === Number.NEGATIVE_INFINITY) return 0
    this.#wokeAtMs ??= seenAtMs
    return seenAtMs - Math.max(movedAtMs, this.#wokeAtMs)
  }
}

/** Share of blocks that changed by more than `threshold` grey levels, a change of the whole picture taken off (as in MotionModel). */
function changedRatio(before: BlockGrid, now: BlockGrid, threshold: number): number {
  if (before.means.length !== now.means.length) return 1
  const differences = now.means.map((mean, index) => mean - before.means[index]!)
  const shift = medianGreyLevel(differences)
  let changed = 0
  for (const difference of differences) if (Math.abs(difference - shift) > threshold) changed++
  return differences.length === 0 ? 0 : changed / differences.length
}
