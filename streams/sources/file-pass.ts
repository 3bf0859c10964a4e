/**
 * One pass over a recorded file: demux, decode, finish, pace. Session host only.
 * Owns the demuxer and the decoder of the pass.
 */

import type { Observable } from 'rxjs'
import { type Clock, delay } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import type { FileIdentity } from '../../core/wire/session-spec.ts'
import type { StreamInfo } from '../../core/wire/stream-info.ts'
import { Decoder } from '../media/decoder.ts'
import { Demuxer } from '../media/demuxer.ts'
import { Finish } from '../media/finish.ts'
import { FullLuma, pixelHash } from '../media/full-luma.ts'
import { GatedDecoder, type GatedOutput, type RestPolicy } from '../media/gated-decoder.ts'
import type { NativeFrame } from '../media/native-frame.ts'
import { loneTest } from '../media/picture-references.ts'
import { SparedPictures } from '../media/spared-pictures.ts'
import { describeStream } from './describe-stream.ts'
import { earlyEnd } from './file-end.ts'
import { expectSame, identityOf } from './file-identity.ts'
import { type Captured, type Emit, framesOf, type Pass } from './pass.ts'
import { Rejoin, RejoinMissed, type RejoinPoint } from './rejoin.ts'

/** A frame this much behind its pace is `late`, ms. */
const LATE_MS = 1000
/** A recording that ends this much before its container's duration was cut off, ms. */
const SHORT_MS = 1000
/** In the order of decoding an I-frame may come behind pictures that precede it; a seek goes by either. ms. */
const SEEK_MARGIN_MS = 1000
/** Frame distance assumed when the container does not say, ms. */
const USUAL_STEP_MS = 40

export interface PassOptions {
  path: string
  openTimeoutMs: number
  /** Decoder threads; 0 lets FFmpeg choose. */
  threads: number
  /** Media seconds per wall second, or `null` for top speed. */
  speed: number | null
  /** Resolves when the next frame may be taken, or the signal is aborted; a reader that must not lose frames waits here. */
  room(signal: AbortSignal): Promise<void>
  /** Cuts the opening short. */
  signal: AbortSignal
  /** The frame after which an earlier pass goes on; it comes again as the first one. `fromStart`: without a seek. */
  rejoin?: { point: RejoinPoint; fromStart: boolean }
  /** A recording that changes meanwhile is an error. */
  constant?: boolean
  clock: Clock
  /** HDR becomes SDR; without, pictures are taken as they are. */
  tonemap: boolean
  loop: number
  seqBase: number
  ptsBaseMs: number
  originMs: number | null
  onDamage(ptsMs: number, what: string): void
  /** The slot of a media time, where only the first picture of each slot is looked at: others need not be decoded. */
  slotOf?: (ptsMs: number) => number
  /** So many pictures were not decoded, since nothing happened (`idle`) or others of their slot are looked at (`rate`). */
  onUndecoded(pictures: number, why: 'idle' | 'rate'): void
}

type Picture = Extract<GatedOutput, { frame: NativeFrame }>

export class FilePass implements Pass {
  readonly stream: StreamInfo
  readonly driftPpm = null
  readonly #options: PassOptions
  readonly #demuxer: Demuxer
  readonly #decoder: Decoder
  readonly #finish: Finish
  readonly #stepMs: number
  readonly #originMs: number
  readonly #identity: FileIdentity | null
  readonly #spared: SparedPictures | null
  #rejoin: Rejoin | undefined
  #stopped = new AbortController()
  #reading: Promise<void> = Promise.resolve()
  #seq: number
  #received = 0
  #lastPtsMs: number
  #startedMs: number | undefined

  private constructor(options: PassOptions, identity: FileIdentity | null, demuxer: Demuxer, decoder: Decoder) {
    this.#options = options
    this.#identity = identity
    if (options.rejoin) this.#rejoin = new Rejoin(options.rejoin.point, options.rejoin.fromStart)
    this.#demuxer = demuxer
    this.#decoder = decoder
    this.#finish = new Finish(demuxer.rotation, options.tonemap)
    this.#stepMs = demuxer.fps ? 1000 / demuxer.fps : USUAL_STEP_MS
    this.#originMs = options.originMs ?? demuxer.recordedAtMs ?? 0
    this.#seq = options.seqBase
    this.#lastPtsMs = options.ptsBaseMs
    this.stream = describeStream(demuxer, decoder)
    this.#spared = newSpared(options, demuxer, decoder)
  }

  /** Errors: SRC_UNREADABLE, SRC_NO_VIDEO, SRC_TIMEOUT, DEC_UNSUPPORTED. */
  static async open(options: PassOptions): Promise<FilePass> {
    const identity = await identityOf(options.path)
    const demuxer = await Demuxer.open(options.path, options)
    try {
      const decoder = await Decoder.open(demuxer.stream, { ...options, callTimeoutMs: options.openTimeoutMs })
      return new FilePass(options, identity, demuxer, decoder)
    } catch (error) {
      await demuxer[Symbol.asyncDispose]()
      throw error
    }
  }

  /** What the file was when it was opened; `null` when it could not be looked at. */
  get identity(): FileIdentity | null {
    return this.#identity
  }

  /** Throws SRC_CHANGED when the recording is not the file that was opened. */
  async expectUnchanged(): Promise<void> {
    expectSame(this.#identity, await identityOf(this.#options.path))
  }

  get received(): number {
    return this.#received
  }

  get next(): { seqBase: number; ptsBaseMs: number } {
    return { seqBase: this.#seq, ptsBaseMs: this.#lastPtsMs + this.#stepMs }
  }

  /**
   * Errors: SRC_TIMEOUT; DEC_FAILED when not one picture could be decoded; SRC_CHANGED; RejoinMissed, before there was a frame, when
   * a pass that goes on has to begin at the start.
   */
  frames(policy: RestPolicy | null): Observable<Captured> {
    return framesOf(
      (emit) => this.#decodeAll(policy, emit),
      () => this.stop(),
      (reading) => {
        this.#reading = reading
      },
    )
  }

  /** Ends the frames early, in order. */
  stop(): void {
    this.#stopped.abort()
    this.#demuxer.interrupt()
  }

  /** Stops, and waits for the reader: native memory is not freed under a call that uses it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stop()
    await this.#reading
    this.#finish[Symbol.dispose]()
    // The demuxer owns the packet that a decoder which was given up may still read.
    if (this.#decoder.stuck) return
    this.#decoder[Symbol.dispose]()
    await this.#demuxer[Symbol.asyncDispose]()
  }

  async #decodeAll(policy: RestPolicy | null, emit: Emit): Promise<void> {
    const { signal } = this.#stopped
    using gated = new GatedDecoder(this.#decoder, policy)
    await this.#seek()
    for (let more = true; more && !signal.aborted; ) {
      const { packet, error } = await this.#demuxer.read()
      if (packet) this.#received++
      if (error !== undefined) this.#damage(error)
      if (packet && this.#spared?.spares(packet)) continue
      for await (const output of gated.take(packet)) {
        if ('damage' in output) this.#damage(output.damage)
        else if ('undecoded' in output) this.#passOver(output.undecoded, 'idle')
        else if (this.#rejoin) this.#meet(output, this.#rejoin, emit)
        else await this.#take(output, emit)
      }
      more = packet !== null
    }
    if (signal.aborted) return
    this.#rejoin?.missed()
    this.#passOver(this.#spared?.rest() ?? 0, 'rate')
    if (this.#options.constant) await this.expectUnchanged()
    if (this.#seq === this.#options.seqBase) throw new GrabberError('DEC_FAILED', 'not one picture could be decoded')
    await this.#checkEnd()
  }

  async #seek(): Promise<void> {
    const { rejoin } = this.#options
    if (!rejoin) return
    expectSame(rejoin.point.file, this.#identity)
    if (rejoin.fromStart) return
    const found = await this.#demuxer.seek(this.#demuxer.startMs + rejoin.point.ptsMs - SEEK_MARGIN_MS)
    if (!found) throw new RejoinMissed()
  }

  /** A frame on the way to the one after which this pass goes on. It was counted by an earlier pass. */
  #meet({ frame, ptsMs }: Picture, rejoin: Rejoin, emit: Emit): void {
    const { loop, ptsBaseMs } = this.#options
    let full: NativeFrame | undefined
    const hash = () => {
      full = this.#finish.of(frame)
      using luma = new FullLuma()
      return pixelHash(luma.of(full))
    }
    try {
      const mediaMs = ptsMs === null ? null : ptsBaseMs + ptsMs - this.#demuxer.startMs
      if (rejoin.look(mediaMs, hash, this.#spared?.before(ptsMs)) === 'before') {
        frame.free()
        return
      }
    } catch (error) {
      ;(full ?? frame).free()
      throw error
    }
    const { seq, ptsMs: pts } = this.#options.rejoin!.point
    this.#rejoin = undefined
    this.#seq = seq + 1
    this.#lastPtsMs = pts
    const { width, height } = full!
    const info = { seq, ptsMs: pts, loop, capturedAtMs: this.#originMs + pts, width, height }
    emit({ info, full: full!, late: false, again: true, origin: { key: false, alone: false, passedKeys: 0 } })
  }

  #passOver(undecoded: number, why: 'idle' | 'rate'): void {
    if (undecoded === 0) return
    this.#seq += undecoded
    this.#options.onUndecoded(undecoded, why)
  }

  async #take({ frame, ptsMs, damaged, key, alone, passedKeys }: Picture, emit: Emit): Promise<void> {
    const { onDamage, room, loop } = this.#options
    const spared = this.#spared?.before(ptsMs) ?? 0
    await room(this.#stopped.signal)
    // A checkpoint that was made there counts nothing behind its frame.
    this.#passOver(spared, 'rate')
    const pts = this.#mediaTime(ptsMs === null ? null : ptsMs - this.#demuxer.startMs)
    const late = await this.#pace(pts)
    if (this.#stopped.signal.aborted) return frame.free()
    if (damaged) onDamage(pts, 'parts of a picture were concealed')
    const full = this.#finish.of(frame)
    const { width, height } = full
    this.#lastPtsMs = pts
    const info = { seq: this.#seq++, ptsMs: pts, loop, capturedAtMs: this.#originMs + pts, width, height }
    emit({ info, full, late, origin: { key, alone, passedKeys } })
  }

  /** Media time never stands still or runs back, whatever the container says. */
  #mediaTime(relativeMs: number | null): number {
    const { seqBase, ptsBaseMs } = this.#options
    const first = this.#seq === seqBase
    const usual = first ? ptsBaseMs : this.#lastPtsMs + this.#stepMs
    const wanted = relativeMs === null ? usual : ptsBaseMs + relativeMs
    return Math.max(first ? ptsBaseMs : this.#lastPtsMs + 0.001, wanted)
  }

  /** Waits until the frame is due; true when it is late. */
  async #pace(ptsMs: number): Promise<boolean> {
    const { speed, clock, ptsBaseMs } = this.#options
    if (speed === null) return false
    this.#startedMs ??= clock.monotonicMs()
    const aheadMs = this.#startedMs + (ptsMs - ptsBaseMs) / speed - clock.monotonicMs()
    // A stop cuts the wait short; the caller looks at the signal.
    if (aheadMs > 0) await delay(clock, aheadMs, this.#stopped.signal).catch(() => undefined)
    return aheadMs < -LATE_MS
  }

  async #checkEnd(): Promise<void> {
    const { durationMs, container } = this.#demuxer
    const readMs = this.#lastPtsMs - this.#options.ptsBaseMs + this.#stepMs
    if (durationMs !== null && durationMs - readMs > SHORT_MS) {
      this.#damage(`the pictures end at ${(readMs / 1000).toFixed(1)} s of ${(durationMs / 1000).toFixed(1)} s`)
      return
    }
    const end = await earlyEnd(this.#options.path, container)
    if (end) this.#damage(end.what)
  }

  #damage(what: string): void {
    // On the way back to the frame after which it goes on: reported by the pass that saw it.
    if (this.#rejoin) return
    this.#options.onDamage(this.#lastPtsMs, what)
  }
}

/** `null` where everything is decoded. */
function newSpared(options: PassOptions, { stream, startMs }: Demuxer, decoder: Decoder): SparedPictures | null {
  const { slotOf, ptsBaseMs } = options
  const { codecId, extradata } = stream.codecpar
  const isLone = slotOf && loneTest(codecId, extradata)
  if (!isLone) return null
  return new SparedPictures({
    isLone,
    timeOf: ({ pts }) => decoder.timeMs(pts),
    slotOf: (ptsMs) => slotOf(ptsBaseMs + ptsMs - startMs),
  })
}
