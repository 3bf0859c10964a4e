/**
 * A frame as a counted lease over native memory. Session host only.
 * Whoever keeps a frame past the call in which it got it calls `retain()`, and `release()` when done; the pixels are
 * freed with the last release. Reading a released frame is a defect and throws.
 */

import type { FrameInfo, LumaView, RgbPicture, YuvView } from '../../core/frame.ts'
import type { NativeFrame } from '../media/native-frame.ts'
import type { PictureScaler, SmallPicture } from '../media/picture-scaler.ts'

/** Counts the leases of a session: none may be left at its end. */
export class LeaseCounter {
  #open = 0

  get open(): number {
    return this.#open
  }

  opened(): void {
    this.#open++
  }

  closed(): void {
    this.#open--
  }
}

/** How a frame was coded and decoded. */
export interface FrameOrigin {
  /** An I-frame: coded without reference to other pictures. */
  key: boolean
  /** The decoder rests: no other picture of its group was decoded so far. */
  alone: boolean
  /** I-frames before it that were not decoded, since the one that was. */
  passedKeys: number
}

export class FrameRef implements Disposable {
  readonly info: FrameInfo
  readonly key: boolean
  readonly alone: boolean
  readonly passedKeys: number
  #full: NativeFrame | undefined
  #small: SmallPicture | undefined
  #scaler: PictureScaler
  #leases: LeaseCounter
  #count = 1

  /** Takes ownership of `full`, an upright frame. The creator holds the first lease. */
  constructor(
    info: FrameInfo,
    full: NativeFrame,
    scaler: PictureScaler,
    leases: LeaseCounter,
    { key, alone, passedKeys }: FrameOrigin = { key: false, alone: false, passedKeys: 0 },
  ) {
    this.info = info
    this.key = key
    this.alone = alone
    this.passedKeys = passedKeys
    this.#full = full
    this.#scaler = scaler
    this.#leases = leases
    leases.opened()
  }

  /** The full-resolution native frame; a view that lives as long as the lease. */
  get full(): NativeFrame {
    if (!this.#full) throw new Error(`frame ${this.info.seq} was read after its last release`)
    return this.#full
  }

  /** Luma of the analysis picture, made at the first use; a view that lives as long as the lease. */
  get luma(): LumaView {
    return this.yuv.luma
  }

  /** The analysis picture, as `luma`. */
  get yuv(): YuvView {
    return this.#analysis().yuv
  }

  /** RGB of the analysis picture as a copy that the caller owns, in the memory of `old` when that is given. */
  rgb(old?: RgbPicture): RgbPicture {
    return this.#scaler.rgb(this.#analysis(), old)
  }

  retain(): this {
    if (this.#count === 0) throw new Error(`frame ${this.info.seq} was retained after its last release`)
    this.#count++
    return this
  }

  release(): void {
    if (this.#count === 0) throw new Error(`frame ${this.info.seq} was released too often`)
    if (--this.#count > 0) return
    this.#small?.[Symbol.dispose]()
    this.#full?.free()
    this.#full = undefined
    this.#small = undefined
    this.#leases.closed()
  }

  [Symbol.dispose](): void {
    this.release()
  }

  #analysis(): SmallPicture {
    this.#small ??= this.#scaler.small(this.full)
    return this.#small
  }
}
