/**
 * One connection to a camera: read, decode, turn upright, with the time at which the light hit the sensor. Session host only.
 * Owns the input, the packets that wait and the decoder. The newest wins: what the decoder cannot keep up with is lost in
 * whole groups, and counted. Ends by an error or a stop, never by itself.
 */
import type { Observable } from 'rxjs'
import { type Clock, within } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import type { DecodeSpec, LiveSource } from '../../core/wire/session-spec.ts'
import type { StreamInfo } from '../../core/wire/stream-info.ts'
import { Decoder } from '../media/decoder.ts'
import type { Demuxer } from '../media/demuxer.ts'
import { Finish } from '../media/finish.ts'
import { GatedDecoder, type GatedOutput, type RestPolicy } from '../media/gated-decoder.ts'
import type { LiveInput } from '../media/live-input.ts'
import type { NativeFrame } from '../media/native-frame.ts'
import { type FedPacket, PacketFeed } from '../media/packet-feed.ts'
import { describeStream } from './describe-stream.ts'
import { dial } from './dial.ts'
import { LiveTime } from './live-time.ts'
import { type Captured, type Emit, framesOf, type Pass } from './pass.ts'

/** Unit of the packets' time stamps behind the capture clock: µs. */
const MS_PER_TICK = 0.001
/** What waits longer for the decoder is old news: decoding goes on at the newest I-frame. */
const LAG_MS = 1500
/** After a wake the decoder is behind by a group of pictures, which are not to be lost; it has caught up at so few packets. */
const CAUGHT_UP = 3
/** An engine that is away must not keep a camera in the past: after this the newest wins again, ms. */
const CATCH_UP_MS = 10_000

export interface LivePassOptions {
  source: LiveSource
  decode: DecodeSpec
  openTimeoutMs: number
  clock: Clock
  seqBase: number
  ptsBaseMs: number
  /** Wall clock of PTS 0; `null` takes that of the first picture. */
  originMs: number | null
  /** Cuts the opening short. */
  signal: AbortSignal
  /** Resolves when the graph is nearly empty, for pictures that must not be lost, or `signal` is aborted. */
  calm(signal: AbortSignal): Promise<void>
  onDamage(ptsMs: number, what: string): void
  /** So many pictures were not decoded, since nothing happened. */
  onUndecoded(pictures: number): void
  /** Hardware failed, and software decodes from now on. */
  onDecoder(): void
  /** So many pictures were lost undecoded: the decoder could not keep up (`decode`), or nothing could (`source`). */
  onLost(pictures: number, stage: 'decode' | 'source'): void
}

type Picture = Extract<GatedOutput, { frame: NativeFrame }>

export class LivePass implements Pass {
  readonly #options: LivePassOptions
  readonly #demuxer: Demuxer
  readonly #decoder: Decoder
  readonly #feed: PacketFeed
  readonly #finish: Finish
  readonly #time: LiveTime
  readonly #untimed: boolean
  readonly #transport: LiveInput['transport']
  readonly #stopped: AbortController
  #reading: Promise<void> = Promise.resolve()
  #seq: number
  #lastPtsMs: number
  /** A picture was decoded. */
  #begun = false
  /** Monotonic; set while it decodes what had been passed over. */
  #catchUpUntilMs: number | undefined
  /** What decodes, as far as it was told. */
  #announced: string | null
  /** Monotonic: when the last picture was decoded. */
  #pictureAtMs: number | undefined

  private constructor(
    options: LivePassOptions,
    { demuxer, transport }: LiveInput,
    decoder: Decoder,
    stopped: AbortController,
  ) {
    this.#options = options
    this.#demuxer = demuxer
    this.#decoder = decoder
    this.#stopped = stopped
    this.#finish = new Finish(demuxer.rotation, options.decode.tonemap)
    this.#seq = options.seqBase
    this.#lastPtsMs = options.ptsBaseMs
    this.#time = new LiveTime(options.ptsBaseMs, options.originMs, demuxer.fps)
    this.#transport = transport
    this.#announced = decoder.device
    // MJPEG has no time of its own and comes as it is made; what else comes over HTTP comes in bursts.
    this.#untimed = isMjpeg(demuxer)
    const paced = options.source.protocol === 'http' && !this.#untimed
    const bursts = transport === 'tcp'
    this.#feed = new PacketFeed(demuxer, { clock: options.clock, paced, bursts, signal: stopped.signal })
  }

  /** Errors: SRC_*, DEC_UNSUPPORTED, DEC_HARDWARE. */
  static async open(options: LivePassOptions): Promise<LivePass> {
    const { openTimeoutMs, clock } = options
    const { demuxer, transport } = await dial(options.source, options)
    let pass: LivePass | undefined
    try {
      const decoder = await Decoder.open(demuxer.stream, {
        threads: 1,
        callTimeoutMs: openTimeoutMs,
        clock,
        msPerTick: MS_PER_TICK,
        hardware: { policy: options.decode.hardware, onFallback: options.onDecoder },
      })
      pass = new LivePass(options, { demuxer, transport }, decoder, new AbortController())
      await pass.#settleDecoder()
      return pass
    } catch (error) {
      await (pass ?? demuxer)[Symbol.asyncDispose]()
      throw error
    }
  }

  /** What is known of the stream; it changes when another decoder takes over. */
  get stream(): StreamInfo {
    return { ...describeStream(this.#demuxer, this.#decoder), transport: this.#transport }
  }

  get next(): { seqBase: number; ptsBaseMs: number } {
    return { seqBase: this.#seq, ptsBaseMs: this.#lastPtsMs }
  }

  /** Wall clock of PTS 0; known with the first picture. */
  get originMs(): number | null {
    return this.#time.originMs
  }

  /** Packets that make no picture are no pictures: none before the first was decoded. */
  get received(): number {
    return this.#begun ? this.#feed.received : 0
  }

  get driftPpm(): number | null {
    return this.#time.driftPpm
  }

  frames(policy: RestPolicy | null): Observable<Captured> {
    return framesOf(
      (emit) => this.#decodeAll(policy, emit),
      () => this.stop(),
      (reading) => {
        this.#reading = reading
      },
    )
  }

  stop(): void {
    this.#stopped.abort()
    this.#feed.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop()
    await this.#reading
    this.#finish[Symbol.dispose]()
    // The packets that a decoder which was given up may still read are the feed's and the demuxer's.
    if (this.#decoder.stuck) return
    await this.#feed[Symbol.asyncDispose]()
    this.#decoder[Symbol.dispose]()
    await this.#demuxer[Symbol.asyncDispose]()
  }

  /** Hardware is tried with the first I-frame, so that the stream can be described. */
  async #settleDecoder(): Promise<void> {
    const { clock, openTimeoutMs, signal } = this.#options
    if (this.#decoder.device !== null) return
    const stop = () => this.stop()
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    const key = await within(clock, openTimeoutMs, this.#feed.firstKey())
    signal.removeEventListener('abort', stop)
    using packet = key?.value
    if (packet) await this.#decoder.settle(packet)
    this.#announced = this.#decoder.device
  }

  async #decodeAll(policy: RestPolicy | null, emit: Emit): Promise<void> {
    using gated = new GatedDecoder(this.#decoder, policy)
    for (;;) {
      // At rest most packets are there before they are asked for, and a promise costs as much as all that is done with one.
      const fed = this.#feed.poll() ?? (await this.#feed.next())
      if (!fed) return
      if ('lost' in fed) {
        this.#lose(fed.lost, 'source', gated)
        this.#expectPictures(false)
      } else {
        const done = this.#takePacket(fed, gated, emit)
        if (done) await done
      }
      this.#feed.resting = gated.resting
    }
  }

  /** Returns a promise only when there is something to wait for. */
  #takePacket(fed: FedPacket, gated: GatedDecoder, emit: Emit): Promise<void> | undefined {
    const { packet, bytes, key, monotonicMs } = fed
    // FFmpeg invents 25 pictures a second for Motion JPEG.
    const mediaMs = this.#time.map(this.#untimed ? { ...fed, ptsMs: null } : fed)
    packet.pts = BigInt(Math.round(mediaMs / MS_PER_TICK))
    packet.dts = packet.pts
    const kept = gated.keep(packet, bytes, key)
    if (kept === 'kept') {
      this.#pictureAtMs = monotonicMs
      return undefined
    }
    if (kept === 'stirred') return this.#decode(gated.wake(), gated, emit)
    return this.#decode(gated.take(packet), gated, emit).finally(() => packet.free())
  }

  async #decode(outputs: AsyncGenerator<GatedOutput>, gated: GatedDecoder, emit: Emit): Promise<void> {
    const rested = gated.resting
    for await (const output of outputs) {
      if (rested && !gated.resting && this.#catchUpUntilMs === undefined) {
        this.#catchUpUntilMs = this.#options.clock.monotonicMs() + CATCH_UP_MS
      }
      if ('damage' in output) this.#options.onDamage(this.#lastPtsMs, output.damage)
      else if ('undecoded' in output) this.#passOver(output.undecoded)
      else await this.#take(output, emit)
    }
    this.#expectPictures(gated.resting)
    this.#announceDecoder()
    if (this.#feed.length <= CAUGHT_UP) this.#catchUpUntilMs = undefined
    else if (!this.#catchingUp && this.#feed.oldestAgeMs > LAG_MS)
      this.#lose(this.#feed.skipToNewest(), 'decode', gated)
  }

  /** Packets that make no picture are no better than none: garbage, or a codec that changed. DEC_FAILED. */
  #expectPictures(resting: boolean): void {
    const { clock, source } = this.#options
    const nowMs = clock.monotonicMs()
    if (resting || this.#pictureAtMs === undefined) this.#pictureAtMs = nowMs
    if (nowMs - this.#pictureAtMs <= source.readTimeoutMs) return
    throw new GrabberError(
      'DEC_FAILED',
      `the camera sends, and no picture could be decoded for ${source.readTimeoutMs} ms`,
      {
        remedy: 'look at the codec settings of the camera, and at the network for lost packets',
      },
    )
  }

  /** The first I-frame may come late, and decide on hardware then. */
  #announceDecoder(): void {
    const { device } = this.#decoder
    if (device === this.#announced) return
    this.#announced = device
    this.#options.onDecoder()
  }

  async #take({ frame, ptsMs, damaged, key, alone, passedKeys }: Picture, emit: Emit): Promise<void> {
    const { signal } = this.#stopped
    if (this.#catchingUp) await this.#options.calm(signal)
    if (signal.aborted) return frame.free()
    this.#pictureAtMs = this.#options.clock.monotonicMs()
    this.#begun = true
    // Media time never stands still or runs back, whatever the camera says.
    const pts = Math.max(this.#lastPtsMs + 0.001, ptsMs ?? 0)
    if (damaged) this.#options.onDamage(pts, 'parts of a picture were concealed')
    const full = this.#finish.of(frame)
    const { width, height } = full
    this.#lastPtsMs = pts
    const capturedAtMs = this.#time.capturedAtMs(pts)
    const info = { seq: this.#seq++, ptsMs: pts, loop: 0, capturedAtMs, width, height }
    emit({ info, full, late: false, origin: { key, alone, passedKeys } })
  }

  get #catchingUp(): boolean {
    return this.#catchUpUntilMs !== undefined && this.#options.clock.monotonicMs() < this.#catchUpUntilMs
  }

  #passOver(pictures: number): void {
    this.#seq += pictures
    this.#options.onUndecoded(pictures)
  }

  #lose(pictures: number, stage: 'decode' | 'source', gated: GatedDecoder): void {
    if (pictures === 0) return
    const undecoded = gated.interrupted()
    if (undecoded > 0) this.#passOver(undecoded)
    this.#seq += pictures
    this.#options.onLost(pictures, stage)
  }
}

function isMjpeg({ container }: Demuxer): boolean {
  return container === 'mpjpeg' || container === 'mjpeg'
}
