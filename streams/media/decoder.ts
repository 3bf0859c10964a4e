/**
 * Owns one codec context: packets in, native frames out. Software decoding; hardware contexts are a later seam.
 * Session host only. Decoding runs on libuv's pool, so that the host's event loop keeps answering meanwhile; which also means
 * that nobody outside sees a decoder hang, so each call has its own limit here.
 */
import { Codec, CodecContext, Frame, type Packet, type Stream } from 'node-av'
import {
  AV_FRAME_FLAG_CORRUPT,
  AV_NOPTS_VALUE,
  AV_PICTURE_TYPE_I,
  AVERROR_EAGAIN,
  AVERROR_EOF,
} from 'node-av/constants'
import type { Clock } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import { expectStatus, statusText } from './ffmpeg-status.ts'
import { PatientCall } from './patient-call.ts'
import { MAX_PICTURE_PX } from './picture-limit.ts'

export interface DecodedFrame {
  /** Owned by the receiver: free it. */
  frame: Frame
  /** ms in the stream's own time; `null` when neither PTS nor DTS is known. */
  ptsMs: number | null
  /** The decoder had to conceal parts of it. */
  damaged: boolean
  /** Coded without reference to other pictures. */
  key: boolean
}

export type Decoded = DecodedFrame | { damage: string }

export interface DecoderOptions {
  /** 0 lets FFmpeg choose. */
  threads: number
  /** For each packet and each frame; a decoder that takes longer hangs. */
  callTimeoutMs: number
  clock: Clock
  /** Unit of the packets' time stamps, when it is not that of the stream; ms. */
  msPerTick?: number
}

export class Decoder implements Disposable {
  readonly name: string
  #context = new CodecContext()
  #msPerTick: number
  #spare: Frame | undefined
  /**
   * With one thread a packet's picture is decoded while the packet is sent, and receiving hands over what is there (in VP9
   * and AV1 it may decode the rest of a packet): two of four hops to the thread pool are saved for each frame, 0.2 ms. With more
   * threads, receiving waits for them, and must not hold the event loop.
   */
  readonly #receivesAtOnce: boolean
  readonly #call: PatientCall
  readonly #callTimeoutMs: number

  private constructor(name: string, msPerTick: number, { clock, callTimeoutMs, threads }: DecoderOptions) {
    this.#receivesAtOnce = threads === 1
    this.name = name
    this.#msPerTick = msPerTick
    this.#callTimeoutMs = callTimeoutMs
    // A decoder cannot be interrupted, only given up.
    this.#call = new PatientCall(clock, () => undefined)
  }

  /** Errors: DEC_UNSUPPORTED. */
  static async open(stream: Stream, options: DecoderOptions): Promise<Decoder> {
    const codec = Codec.findDecoder(stream.codecpar.codecId)
    if (!codec) throw new GrabberError('DEC_UNSUPPORTED', `no decoder for codec id ${stream.codecpar.codecId}`)
    const msPerTick = options.msPerTick ?? (1000 * stream.timeBase.num) / stream.timeBase.den
    const decoder = new Decoder(codec.name ?? 'unknown', msPerTick, options)
    const context = decoder.#context
    context.allocContext3(codec)
    expectStatus(context.parametersToContext(stream.codecpar), 'DEC_UNSUPPORTED', 'codec parameters are not usable')
    context.pktTimebase = stream.timeBase
    context.threadCount = options.threads
    // A stream may grow in the middle: such pictures are damage.
    expectStatus(context.setOption('max_pixels', String(MAX_PICTURE_PX)), 'DEC_UNSUPPORTED', 'the picture limit')
    expectStatus(await context.open2(codec, null), 'DEC_UNSUPPORTED', `decoder ${decoder.name} cannot be opened`)
    return decoder
  }

  /**
   * Frames that `packet` completes (`null` drains), in presentation order. Yields each as soon as it is there.
   * A packet that cannot be decoded gives a `damage` text instead of throwing. Errors: DEC_HUNG.
   */
  async *decode(packet: Packet | null): AsyncGenerator<Decoded> {
    const sent = await this.#limited(() => this.#context.sendPacket(packet))
    if (sent < 0 && sent !== AVERROR_EOF) yield { damage: statusText(sent) }
    for (;;) {
      const frame = this.#takeFrame()
      const status = this.#receivesAtOnce
        ? this.#context.receiveFrameSync(frame)
        : await this.#limited(() => this.#context.receiveFrame(frame))
      if (status < 0) {
        this.#spare = frame
        if (status === AVERROR_EAGAIN || status === AVERROR_EOF) return
        yield { damage: statusText(status) }
        return
      }
      const ptsMs = this.timeMs(frame.bestEffortTimestamp)
      const damaged = frame.hasFlags(AV_FRAME_FLAG_CORRUPT) || frame.decodeErrorFlags !== 0
      yield { frame, ptsMs, damaged, key: frame.pictType === AV_PICTURE_TYPE_I }
    }
  }

  /** A time stamp of its packets and frames in ms; `null` when there is none. */
  timeMs(ticks: bigint): number | null {
    return ticks === AV_NOPTS_VALUE ? null : Number(ticks) * this.#msPerTick
  }

  /**
   * Forgets what was sent and not yet given back, and the end of the stream: after a drain, or before a jump, the next packet
   * is to be an I-frame. Not while a `decode` is under way.
   */
  flush(): void {
    this.#context.flushBuffers()
  }

  /** A call was given up and may still use its packet and its context: neither must be freed. */
  get stuck(): boolean {
    return this.#call.stuck
  }

  [Symbol.dispose](): void {
    if (this.stuck) return
    this.#spare?.free()
    this.#context.freeContext()
  }

  async #limited(call: () => Promise<number>): Promise<number> {
    const status = await this.#call.run(this.#callTimeoutMs, call)
    if (status !== undefined) return status
    throw new GrabberError('DEC_HUNG', `decoder ${this.name} did not return in ${this.#callTimeoutMs} ms`)
  }

  #takeFrame(): Frame {
    const spare = this.#spare
    this.#spare = undefined
    if (spare) return spare
    const frame = new Frame()
    frame.alloc()
    return frame
  }
}
