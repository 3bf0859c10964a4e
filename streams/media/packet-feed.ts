/**
 * Reads a camera's packets as they come, so that its socket is never left full, and keeps those that wait for the decoder.
 * Session host only. Owns the reading and the packets that wait; bounded in number and bytes. What does not fit is lost whole
 * groups at a time, since a decoder can only begin at an I-frame.
 */
import type { Packet } from 'node-av'
import { AV_NOPTS_VALUE } from 'node-av/constants'
import { type Clock, delay } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import type { Demuxer } from './demuxer.ts'
import { senderTimeMs } from './sender-time.ts'

/** About ten seconds of a camera with 60 pictures a second, or of one with 24 Mbit/s. */
const MAX_PACKETS = 600
const MAX_BYTES = 32 * 1024 * 1024

export interface FedPacket {
  /** The receiver frees it. */
  packet: Packet
  /** In the stream's own time, ms; `null` when not said. DTS orders packets, PTS pictures. */
  ptsMs: number | null
  dtsMs: number | null
  /** When it was read, by the wall clock and by the monotonic clock, ms. */
  arrivedAtMs: number
  monotonicMs: number
  /** When it was captured by the clock of the camera (RTCP), ms since the epoch. */
  senderAtMs: number | null
}

export interface PacketFeedOptions {
  clock: Clock
  /** Packets come in bursts (HLS, a file over HTTP) and are handed on at the pace of their own time. */
  paced: boolean
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
  #news = Promise.withResolvers<void>()
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
      if (this.#options.signal.aborted) return undefined
      if (this.#lost > 0) return { lost: this.#takeLost() }
      const packet = this.#waiting.shift()
      if (packet) {
        this.#bytes -= packet.packet.size
        return packet
      }
      if (this.#ended) throw this.#ended.error
      await this.#news.promise
    }
  }

  /** The first I-frame that waits, which stays; `undefined` at the end of the stream, or when the signal was aborted. */
  async firstKey(): Promise<Packet | undefined> {
    for (;;) {
      const key = this.#waiting.find(({ packet }) => packet.isKeyframe)
      if (key || this.#ended || this.#options.signal.aborted) return key?.packet
      await this.#news.promise
    }
  }

  /** Newest wins: forgets what waits before the newest I-frame; how many packets that were. 0 when there is none. */
  skipToNewest(): number {
    const newest = this.#waiting.findLastIndex(({ packet }) => packet.isKeyframe)
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
  }

  async #read(): Promise<void> {
    const { signal } = this.#options
    try {
      while (!signal.aborted) {
        const { packet, error } = await this.#demuxer.read()
        if (!packet) throw new GrabberError('SRC_LOST', error ?? 'the camera ended the stream')
        this.#received++
        await this.#take(packet)
      }
    } catch (error) {
      this.#ended = { error }
    }
    this.#tell()
  }

  async #take(packet: Packet): Promise<void> {
    if (this.#broken && !packet.isKeyframe) {
      this.#lost++
      return
    }
    this.#broken = false
    const own = packet.clone()
    if (!own) throw new Error('no memory for a packet')
    const fed = {
      packet: own,
      ptsMs: this.#ms(packet.pts),
      dtsMs: this.#ms(packet.dts),
      arrivedAtMs: this.#options.clock.nowMs(),
      monotonicMs: this.#options.clock.monotonicMs(),
      senderAtMs: senderTimeMs(packet),
    }
    if (this.#options.paced) await this.#pace(fed.dtsMs ?? fed.ptsMs)
    this.#waiting.push(fed)
    this.#bytes += own.size
    if (this.#waiting.length > MAX_PACKETS || this.#bytes > MAX_BYTES) {
      this.#lost += this.#forget(this.#waiting.length)
      this.#broken = true
    }
    this.#tell()
  }

  /** A jump in time starts the pace anew. */
  async #pace(dtsMs: number | null): Promise<void> {
    if (dtsMs === null) return
    const { clock, signal } = this.#options
    const nowMs = clock.monotonicMs()
    const dueMs = this.#anchor && this.#anchor.atMs + dtsMs - this.#anchor.dtsMs
    if (dueMs === undefined || Math.abs(dueMs - nowMs) > MAX_AHEAD_MS) this.#anchor = { dtsMs, atMs: nowMs }
    else if (dueMs > nowMs) await delay(clock, dueMs - nowMs, signal).catch(() => undefined)
  }

  #forget(packets: number): number {
    for (const { packet } of this.#waiting.splice(0, packets)) {
      this.#bytes -= packet.size
      packet.free()
    }
    return packets
  }

  #takeLost(): number {
    const lost = this.#lost
    this.#lost = 0
    return lost
  }

  #tell(): void {
    this.#news.resolve()
    this.#news = Promise.withResolvers()
  }

  #ms(ticks: bigint): number | null {
    return ticks === AV_NOPTS_VALUE ? null : Number(ticks) * this.#msPerTick
  }
}

/** HLS hands over segments of up to 20 s. */
const MAX_AHEAD_MS = 30_000
