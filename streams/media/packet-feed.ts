/**
 * Reads a camera's packets as they come, or a few at a time while nothing happens (burst-reading), and keeps those that wait for the decoder.
 * Session host only. Owns the reading and the packets that wait; bounded in number and bytes. What does not fit is lost whole
 * groups at a time, since a decoder can only begin at an I-frame.
 */
import type { Packet } from 'node-av'
import { AV_NOPTS_VALUE } from 'node-av/constants'
import { type Clock, delay } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import { BurstReading } from './burst-reading.ts'
import { type Demuxer, newPacket } from './demuxer.ts'
import { senderTimeMs } from './sender-time.ts'

/** About ten seconds of a camera with 60 pictures a second, or of one with 24 Mbit/s. */
const MAX_PACKETS = 600
const MAX_BYTES = 32 * 1024 * 1024
/** The camera's clock is compared with ours twice a second (sources/sender-clock); to ask is to copy, so not of each packet. */
const SENDER_MS = 250

export interface FedPacket {
  /** The receiver frees it. */
  packet: Packet
  bytes: number
  key: boolean
  /** In the stream's own time, ms; `null` when not said. DTS orders packets, PTS pictures. */
  ptsMs: number | null
  dtsMs: number | null
  /** When it was read, by the wall clock and by the monotonic clock, ms. */
  arrivedAtMs: number
  monotonicMs: number
  /** When it was captured by the clock of the camera (RTCP), ms since the epoch; `null` where it was not asked for. */
  senderAtMs: number | null
}

export interface PacketFeedOptions {
  clock: Clock
  /** Packets come in bursts (HLS, a file over HTTP) and are handed on at the pace of their own time. */
  paced: boolean
  /** What comes while `resting` may wait in the socket and be read a few packets at a time. */
  bursts: boolean
  signal: AbortSignal
}

export class PacketFeed implements AsyncDisposable {
  readonly #demuxer: Demuxer
  readonly #options: PacketFeedOptions
  readonly #msPerTick: number
  readonly #reading: Promise<void>
  #waiting: FedPacket[] = []
  #bytes = 0
  #received = 0
  #lost = 0
  /** Packets up to the next I-frame are worth nothing. */
  #broken = false
  #ended: { error: unknown } | undefined
  /** Those who wait for a packet. */
  #awaiting: (() => void)[] = []
  /** What the next read is into. */
  #spare = newPacket()
  #senderAskedMs = Number.NEGATIVE_INFINITY
  /** While nothing is decoded. */
  #bursts: BurstReading | undefined
  #anchor: { dtsMs: number; atMs: number } | undefined

  constructor(demuxer: Demuxer, options: PacketFeedOptions) {
    this.#demuxer = demuxer
    this.#options = options
    const { num, den } = demuxer.stream.timeBase
    this.#msPerTick = (1000 * num) / den
    this.#reading = this.#read()
  }

  /** Packets of the video stream that were read. */
  get received(): number {
    return this.#received
  }

  /** Nothing is decoded: nobody is in a hurry. */
  set resting(resting: boolean) {
    if (!resting) this.#bursts = undefined
    else if (this.#options.bursts) this.#bursts ??= new BurstReading()
  }

  /** Packets that wait. */
  get length(): number {
    return this.#waiting.length
  }

  /** For how long the oldest of them waits, ms. */
  get oldestAgeMs(): number {
    const oldest = this.#waiting[0]
    return oldest ? this.#options.clock.monotonicMs() - oldest.monotonicMs : 0
  }

  /**
   * The next packet, or how many were lost before it; `undefined` when the signal was aborted. When what was read before is
   * handed out: SRC_LOST at the end of the stream, SRC_TIMEOUT.
   */
  async next(): Promise<FedPacket | { lost: number } | undefined> {
    for (;;) {
      const here = this.poll()
      if (here || this.#options.signal.aborted) return here
      if (this.#ended) throw this.#ended.error
      await this.#something()
    }
  }

  /** The same without waiting: `undefined` when there is none. */
  poll(): FedPacket | { lost: number } | undefined {
    if (this.#options.signal.aborted) return undefined
    if (this.#lost > 0) return { lost: this.#takeLost() }
    const fed = this.#waiting.shift()
    if (fed) this.#bytes -= fed.bytes
    return fed
  }

  /** A copy of the first I-frame that waits, for the caller to free; `undefined` at the end of the stream, or after a stop. */
  async firstKey(): Promise<Packet | undefined> {
    for (;;) {
      const first = this.#waiting.find(({ key }) => key)
      if (first || this.#ended || this.#options.signal.aborted) return first?.packet.clone() ?? undefined
      await this.#something()
    }
  }

  /** Newest wins: forgets what waits before the newest I-frame; how many packets that were. 0 when there is none. */
  skipToNewest(): number {
    const newest = this.#waiting.findLastIndex(({ key }) => key)
    return newest <= 0 ? 0 : this.#forget(newest)
  }

  /** Makes `next` return at once; the signal is to be aborted before. */
  stop(): void {
    this.#demuxer.interrupt()
    this.#tell()
  }

  /** Waits for the reader. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stop()
    await this.#reading
    this.#forget(this.#waiting.length)
    if (!this.#demuxer.stuck) this.#spare.free()
  }

  async #read(): Promise<void> {
    const { signal } = this.#options
    try {
      while (!signal.aborted) {
        const { packet, error } = await this.#demuxer.read(this.#spare)
        if (!packet) throw new GrabberError('SRC_LOST', error ?? 'the camera ended the stream')
        this.#received++
        const fed = this.#take(packet)
        if (!fed) continue
        if (this.#options.paced) await this.#pace(fed.dtsMs ?? fed.ptsMs)
        this.#add(fed)
        const lullMs = this.#bursts?.lullMs(fed) ?? 0
        if (lullMs > 0) await this.#wait(lullMs)
      }
    } catch (error) {
      this.#ended = { error }
    }
    this.#tell()
  }

  /** `undefined`: it is lost, since those before it are. */
  #take(packet: Packet): FedPacket | undefined {
    const key = packet.isKeyframe
    if (this.#broken && !key) {
      this.#lost++
      // Whoever waits must hear of it: an I-frame may never come.
      this.#tell()
      return undefined
    }
    this.#broken = false
    this.#spare = newPacket()
    return this.#fed(packet, key)
  }

  #add(fed: FedPacket): void {
    this.#waiting.push(fed)
    this.#bytes += fed.bytes
    if (this.#waiting.length > MAX_PACKETS || this.#bytes > MAX_BYTES) {
      this.#lost += this.#forget(this.#waiting.length)
      this.#broken = true
    }
    this.#tell()
  }

  #fed(packet: Packet, key: boolean): FedPacket {
    const { clock } = this.#options
    const monotonicMs = clock.monotonicMs()
    const asks = monotonicMs - this.#senderAskedMs >= SENDER_MS
    if (asks) this.#senderAskedMs = monotonicMs
    return {
      packet,
      bytes: packet.size,
      key,
      ptsMs: this.#ms(packet.pts),
      dtsMs: this.#ms(packet.dts),
      arrivedAtMs: clock.nowMs(),
      monotonicMs,
      senderAtMs: asks ? senderTimeMs(packet) : null,
    }
  }

  /** A jump in time starts the pace anew. */
  async #pace(dtsMs: number | null): Promise<void> {
    if (dtsMs === null) return
    const nowMs = this.#options.clock.monotonicMs()
    const dueMs = this.#anchor && this.#anchor.atMs + dtsMs - this.#anchor.dtsMs
    if (dueMs === undefined || Math.abs(dueMs - nowMs) > MAX_AHEAD_MS) this.#anchor = { dtsMs, atMs: nowMs }
    else if (dueMs > nowMs) await this.#wait(dueMs - nowMs)
  }

  /** A stop cuts it short. */
  async #wait(ms: number): Promise<void> {
    const { clock, signal } = this.#options
    await delay(clock, ms, signal).catch(() => undefined)
  }

  #forget(packets: number): number {
    for (const { packet, bytes } of this.#waiting.splice(0, packets)) {
      this.#bytes -= bytes
      packet.free()
    }
    return packets
  }

  #takeLost(): number {
    const lost = this.#lost
    this.#lost = 0
    return lost
  }

  #something(): Promise<void> {
    return new Promise((resolve) => this.#awaiting.push(resolve))
  }

  #tell(): void {
    if (this.#awaiting.length > 0) for (const tell of this.#awaiting.splice(0)) tell()
  }

  #ms(ticks: bigint): number | null {
    return ticks === AV_NOPTS_VALUE ? null : Number(ticks) * this.#msPerTick
  }
}

/** HLS hands over segments of up to 20 s. */
const MAX_AHEAD_MS = 30_000
