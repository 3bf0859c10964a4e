/**
 * Packets in, native frames in memory out, whatever decodes them. Session host only.
 * Owns the decoding context: in software, or on hardware that has shown that it decodes this stream, and that is left for
 * software when it fails, without losing a picture. Decoding runs on libuv's pool, so that the host's event loop keeps
 * answering meanwhile; which also means that nobody outside sees a decoder hang, so each call has its own limit here.
 */
import { Codec, Frame, type Packet, type Stream } from 'node-av'
import {
  AV_FRAME_FLAG_CORRUPT,
  AV_NOPTS_VALUE,
  AV_PICTURE_TYPE_I,
  AVERROR_EAGAIN,
  AVERROR_EOF,
  AVERROR_INVALIDDATA,
} from 'node-av/constants'
import type { Clock } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import { SoftwareContext } from './decoding-context.ts'
import { statusText } from './ffmpeg-status.ts'
import {
  chooseDecoder,
  type HardwareOptions,
  keepForStuckCall,
  leaveSeat,
  newCall,
  type RefusedDevice,
  type Seat,
  visibleDevices,
} from './hardware-decoder.ts'
import { type HardwareDevice, hardwareDevices } from './hardware-devices.ts'
import { PacketHistory } from './packet-history.ts'

/** For opening a device, and again for its first picture: a driver loads in 0.3 s, a GPU that sleeps takes a second or two. */
const PROBE_MS = 5000
/** I-frames in a row that hardware cannot decode are its fault and not the stream's. */
const BAD_KEYS = 2
/** A stream without I-frames (intra refresh) is nothing to probe with: software plays it. Sooner than the read limit, packets. */
const MOST_UNDECIDED = 500

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
  /** Of software; 0 lets FFmpeg choose. */
  threads: number
  /** For each packet and each frame; a decoder that takes longer hangs. */
  callTimeoutMs: number
  clock: Clock
  /** Unit of the packets' time stamps, when it is not that of the stream; ms. */
  msPerTick?: number
  /** Absent: software only. */
  hardware?: HardwareOptions
}

/** The device's fault, not the stream's. */
class DeviceFailure extends Error {}

export class Decoder implements Disposable {
  /** Of the codec, such as `h264`. */
  readonly name: string
  readonly #stream: Stream
  readonly #codec: Codec
  readonly #options: DecoderOptions
  readonly #msPerTick: number
  readonly #refused: RefusedDevice[] = []
  readonly #history = new PacketHistory()
  /** Hardware that waits for the first I-frame to be tried. */
  #candidates: HardwareDevice[] = []
  #seat: Seat | undefined
  #spare: Frame | undefined
  #badKeys = 0
  /** Packets that came before the first I-frame. */
  #undecided = 0
  /** The last picture that was given, ms. */
  #givenMs = Number.NEGATIVE_INFINITY

  private constructor(stream: Stream, codec: Codec, options: DecoderOptions) {
    this.name = codec.name ?? 'unknown'
    this.#stream = stream
    this.#codec = codec
    this.#options = options
    this.#msPerTick = options.msPerTick ?? (1000 * stream.timeBase.num) / stream.timeBase.den
  }

  /** Errors: DEC_UNSUPPORTED; DEC_HARDWARE when hardware is required and this machine shows none. */
  static async open(stream: Stream, options: DecoderOptions): Promise<Decoder> {
    const codec = Codec.findDecoder(stream.codecpar.codecId)
    if (!codec) throw new GrabberError('DEC_UNSUPPORTED', `no decoder for codec id ${stream.codecpar.codecId}`)
    const decoder = new Decoder(stream, codec, options)
    const { policy = 'off', devices = hardwareDevices() } = options.hardware ?? {}
    if (policy !== 'off') {
      const { visible, refused } = visibleDevices(devices)
      decoder.#refused.push(...refused)
      decoder.#candidates = visible
    }
    if (decoder.#candidates.length === 0) await decoder.#takeSoftware()
    return decoder
  }

  /** What decodes: `software` or a device, such as `vaapi`; `null` until the first I-frame has decided (`settle`). */
  get device(): string | null {
    return this.#seat?.device ?? null
  }

  /** Hardware that does not decode this stream, so far. */
  get refused(): readonly RefusedDevice[] {
    return this.#refused
  }

  /**
   * Decides with an I-frame what decodes, if that is still open; `decode` does so by itself. The packet is still to be decoded.
   * Errors: DEC_HARDWARE, DEC_UNSUPPORTED.
   */
  async settle(packet: Packet): Promise<void> {
    if (this.#seat) return
    const { clock, hardware } = this.#options
    const timeoutMs = hardware?.probeTimeoutMs ?? PROBE_MS
    const { seat, refused } = await chooseDecoder(this.#stream, packet, this.#candidates, { clock, timeoutMs })
    this.#refused.push(...refused)
    this.#candidates = []
    if (seat) this.#seat = seat
    else await this.#takeSoftware()
  }

  /**
   * Frames that `packet` completes (`null` drains), in presentation order. Yields each as soon as it is there.
   * A packet that cannot be decoded gives a `damage` text instead of throwing. Until the first I-frame has decided on hardware
   * there are no frames. Errors: DEC_HUNG, DEC_HARDWARE.
   */
  async *decode(packet: Packet | null): AsyncGenerator<Decoded> {
    const seat = this.#seat ?? (await this.#decide(packet))
    if (!seat) return
    if (seat.device === 'software') return yield* this.#run(seat, packet)
    const kept = packet && this.#history.add(packet)
    try {
      for await (const item of this.#run(seat, kept)) yield this.#given(item)
    } catch (error) {
      if (!(error instanceof DeviceFailure)) throw error
      await this.#fallBack(seat, error.message)
      yield* this.#again(packet === null)
      this.#forgetHistory(seat)
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
    this.#history.clear()
    this.#givenMs = Number.NEGATIVE_INFINITY
    this.#seat?.context.flush()
  }

  /** A call was given up and may still use its packet and its context: neither must be freed. */
  get stuck(): boolean {
    return this.#seat?.call.stuck ?? false
  }

  [Symbol.dispose](): void {
    if (this.stuck) return
    this.#spare?.free()
    this.#spare = undefined
    this.#seat?.call[Symbol.dispose]()
    this.#seat?.context[Symbol.dispose]()
    this.#seat = undefined
    this.#history[Symbol.dispose]()
  }

  async #decide(packet: Packet | null): Promise<Seat | undefined> {
    if (!packet) return undefined
    if (!packet.isKeyframe && ++this.#undecided < MOST_UNDECIDED) return undefined
    if (!packet.isKeyframe) {
      const reason = `no I-frame among the first ${this.#undecided} packets`
      this.#refused.push(...this.#candidates.splice(0).map(({ name }) => ({ device: name, reason })))
    }
    await this.settle(packet)
    return this.#seat
  }

  /** What one packet gives, in one context. Throws DeviceFailure for what is not the stream's fault. */
  async *#run(seat: Seat, packet: Packet | null): AsyncGenerator<Decoded> {
    const { context } = seat
    const sent = await this.#limited(seat, () => context.send(packet))
    if (sent < 0 && sent !== AVERROR_EOF) yield this.#damage(seat, sent, packet)
    for (;;) {
      const frame = this.#takeFrame()
      const received = context.receive(frame)
      const status = typeof received === 'number' ? received : await this.#limited(seat, () => received, frame)
      if (status < 0) {
        this.#spare = frame
        if (status === AVERROR_EAGAIN || status === AVERROR_EOF) return
        yield this.#damage(seat, status, packet)
        return
      }
      this.#badKeys = 0
      const ptsMs = this.timeMs(frame.bestEffortTimestamp)
      const damaged = frame.hasFlags(AV_FRAME_FLAG_CORRUPT) || frame.decodeErrorFlags !== 0
      yield { frame, ptsMs, damaged, key: frame.pictType === AV_PICTURE_TYPE_I }
    }
  }

  #damage({ device }: Seat, status: number, packet: Packet | null): { damage: string } {
    const what = statusText(status)
    if (device === 'software') return { damage: what }
    if (status !== AVERROR_INVALIDDATA) throw new DeviceFailure(what)
    if (packet?.isKeyframe && ++this.#badKeys >= BAD_KEYS) throw new DeviceFailure(what)
    return { damage: what }
  }

  #given<T extends Decoded>(item: T): T {
    if ('ptsMs' in item && item.ptsMs !== null) this.#givenMs = item.ptsMs
    return item
  }

  /** Software takes over; what the device was still to give is decoded again. */
  async #fallBack(seat: Seat, reason: string): Promise<void> {
    const { hardware } = this.#options
    const failed = { device: seat.device, reason }
    this.#refused.push(failed)
    leaveSeat(seat)
    this.#seat = undefined
    await this.#takeSoftware()
    hardware?.onFallback?.(failed)
  }

  /** The packets since the I-frame before, without the pictures that were given already. */
  async *#again(draining: boolean): AsyncGenerator<Decoded> {
    const seat = this.#seat!
    const givenMs = this.#givenMs
    const packets: (Packet | null)[] = [...this.#history.packets(), ...(draining ? [null] : [])]
    if (packets.length === 0) yield { damage: 'the pictures up to the next I-frame' }
    for (const packet of packets) {
      for await (const item of this.#run(seat, packet)) {
        const known = 'ptsMs' in item && item.ptsMs !== null && item.ptsMs <= givenMs
        if (known) item.frame.free()
        else yield item
      }
    }
  }

  #forgetHistory({ call }: Seat): void {
    if (call.stuck) keepForStuckCall(...this.#history.take())
    else this.#history.clear()
  }

  async #takeSoftware(): Promise<void> {
    const { threads, clock, hardware } = this.#options
    if (hardware?.policy === 'require') throw new GrabberError('DEC_HARDWARE', this.#refusals())
    const context = await SoftwareContext.open(this.#stream, this.#codec, threads)
    this.#seat = { device: 'software', context, call: newCall(clock) }
  }

  #refusals(): string {
    if (this.#refused.length === 0) return `no hardware decoder on ${process.platform}`
    return this.#refused.map(({ device, reason }) => `${device}: ${reason}`).join('; ')
  }

  /** `written` is what the call writes to. */
  async #limited({ device, call }: Seat, native: () => Promise<number>, written?: Frame): Promise<number> {
    const status = await call.run(this.#options.callTimeoutMs, native)
    if (status !== undefined) return status
    keepForStuckCall(written)
    const what = `decoder ${this.name} did not return in ${this.#options.callTimeoutMs} ms`
    throw device === 'software' ? new GrabberError('DEC_HUNG', what) : new DeviceFailure(what)
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
