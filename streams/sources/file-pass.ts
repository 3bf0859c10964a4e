/**
 * One pass over a recorded file: demux, decode, finish, pace. Session host only.
 * Owns the demuxer and the decoder of the pass.
 */

import type { Observable } from 'rxjs'
import { type Clock, delay } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import type { StreamInfo } from '../../core/wire/stream-info.ts'
import { Decoder } from '../media/decoder.ts'
import { Demuxer } from '../media/demuxer.ts'
import { Finish } from '../media/finish.ts'
import { GatedDecoder, type GatedOutput, type RestPolicy } from '../media/gated-decoder.ts'
import type { NativeFrame } from '../media/native-frame.ts'
import { describeStream } from './describe-stream.ts'
import { type Captured, type Emit, framesOf, type Pass } from './pass.ts'

/** A frame this much behind its pace is `late`, ms. */
const LATE_MS = 1000
/** A recording that ends this much before its container's duration was cut off, ms. */
const SHORT_MS = 1000
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
  clock: Clock
  /** HDR becomes SDR; without, pictures are taken as they are. */
  tonemap: boolean
  loop: number
  seqBase: number
  ptsBaseMs: number
  originMs: number | null
  onDamage(ptsMs: number, what: string): void
  /** So many pictures were not decoded, since nothing happened. */
  onUndecoded(pictures: number): void
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
  #stopped = new AbortController()
  #reading: Promise<void> = Promise.resolve()
  #seq: number
  #received = 0
  #lastPtsMs: number
  #startedMs: number | undefined

  private constructor(options: PassOptions, demuxer: Demuxer, decoder: Decoder) {
    this.#options = options
    this.#demuxer = demuxer
    this.#decoder = decoder
    this.#finish = new Finish(demuxer.rotation, options.tonemap)
    this.#stepMs = demuxer.fps ? 1000 / demuxer.fps : USUAL_STEP_MS
    this.#originMs = options.originMs ?? demuxer.recordedAtMs ?? 0
    this.#seq = options.seqBase
    this.#lastPtsMs = options.ptsBaseMs
    this.stream = describeStream(demuxer, decoder)
  }

  /** Errors: SRC_UNREADABLE, SRC_NO_VIDEO, SRC_TIMEOUT, DEC_UNSUPPORTED. */
  static async open(options: PassOptions): Promise<FilePass> {
    const demuxer = await Demuxer.open(options.path, options)
    try {
      return new FilePass(
        options,
        demuxer,
        await Decoder.open(demuxer.stream, { ...options, callTimeoutMs: options.openTimeoutMs }),
      )
    } catch (error) {
      await demuxer[Symbol.asyncDispose]()
      throw error
    }
  }

  get received(): number {
    return this.#received
  }

  get next(): { seqBase: number; ptsBaseMs: number } {
    return { seqBase: this.#seq, ptsBaseMs: this.#lastPtsMs + this.#stepMs }
  }

  /** Errors: SRC_TIMEOUT, DEC_FAILED, the latter when not one picture could be decoded. */
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
    for (let more = true; more && !signal.aborted; ) {
      const { packet, error } = await this.#demuxer.read()
      if (packet) this.#received++
      if (error !== undefined) this.#damage(error)
      for await (const output of gated.take(packet)) {
        if ('damage' in output) this.#damage(output.damage)
        else if ('undecoded' in output) this.#passOver(output.undecoded)
        else await this.#take(output, emit)
      }
      more = packet !== null
    }
    if (signal.aborted) return
    if (this.#seq === this.#options.seqBase) throw new GrabberError('DEC_FAILED', 'not one picture could be decoded')
    this.#checkLength()
  }

  #passOver(undecoded: number): void {
    this.#seq += undecoded
    this.#options.onUndecoded(undecoded)
  }

  async #take({ frame, ptsMs, damaged, key, alone, passedKeys }: Picture, emit: Emit): Promise<void> {
    const { onDamage, room, loop } = this.#options
    await room(this.#stopped.signal)
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

  #checkLength(): void {
    const { durationMs } = this.#demuxer
    const readMs = this.#lastPtsMs - this.#options.ptsBaseMs + this.#stepMs
    if (durationMs === null || durationMs - readMs <= SHORT_MS) return
    this.#damage(`the pictures end at ${(readMs / 1000).toFixed(1)} s of ${(durationMs / 1000).toFixed(1)} s`)
  }

  #damage(what: string): void {
    this.#options.onDamage(this.#lastPtsMs, what)
  }
}
