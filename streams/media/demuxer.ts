/**
 * Owns one opened input: container, its video stream, its packets in file order. Session host only.
 * Must never open anything without a timeout: an open that hangs holds a thread of libuv's pool for ever (FACTS, Decode).
 */
import { avGetCodecName, Dictionary, FormatContext, InputFormat, Packet, type Stream } from 'node-av'
import {
  AV_DISPOSITION_ATTACHED_PIC,
  AV_NOPTS_VALUE,
  AV_PKT_DATA_DISPLAYMATRIX,
  AV_PKT_FLAG_CORRUPT,
  AVDISCARD_ALL,
  AVERROR_DECODER_NOT_FOUND,
  AVERROR_EOF,
  AVERROR_EXIT,
  AVMEDIA_TYPE_AUDIO,
  AVMEDIA_TYPE_VIDEO,
  AVSEEK_FLAG_BACKWARD,
} from 'node-av/constants'
import { type Clock, systemClock } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import type { AudioInfo } from '../../core/wire/preflight.ts'
import { statusText } from './ffmpeg-status.ts'
import { type Rotation, rotationOf } from './frame-rotation.ts'
import { PatientCall } from './patient-call.ts'
import { glanceAtSize, refuseTooLarge } from './picture-limit.ts'

/**
 * The native layer's own limit is a last resort behind ours. If it came first, FFmpeg would hand over the picture that its parser
 * held back, as if it had just arrived, and wait as long again.
 */
const NATIVE_FACTOR = 2

export interface DemuxerOptions {
  /** For opening and probing together, and later for each packet; beyond it the input is given up with SRC_TIMEOUT. */
  openTimeoutMs: number
  clock?: Clock
  /** For each packet; `openTimeoutMs` when absent. */
  readTimeoutMs?: number
  /** Cuts the opening short: SRC_TIMEOUT. Later reads are ended by `interrupt`. */
  signal?: AbortSignal
  /** FFmpeg's name of the input format, where it is not to be found out, and its options. */
  format?: string
  settings?: Record<string, string>
  /** What a status of FFmpeg's means that ended the opening; SRC_UNREADABLE when absent. */
  failure?: (status: number) => GrabberError
}

export interface PacketRead {
  packet: Packet | null
  /** Set when reading ended on an error and not at the end of the input. */
  error?: string
}

export class Demuxer implements AsyncDisposable {
  readonly stream: Stream
  readonly container: string
  /** ms; `null` when the container does not say. */
  readonly durationMs: number | null
  /** PTS of the container's start in ms, so that media time begins at 0. */
  readonly startMs: number
  readonly #format: FormatContext
  readonly #call: PatientCall
  readonly #readTimeoutMs: number
  readonly #index: number
  readonly #packet = newPacket()

  private constructor(format: FormatContext, stream: Stream, call: PatientCall, readTimeoutMs: number) {
    this.#format = format
    this.#call = call
    this.#readTimeoutMs = readTimeoutMs
    this.stream = stream
    this.#index = stream.index
    this.container = format.iformat?.name ?? 'unknown'
    this.durationMs = format.duration > 0n ? Number(format.duration) / 1000 : null
    const start = stream.startTime
    this.startMs = start === AV_NOPTS_VALUE ? 0 : (Number(start) * 1000 * stream.timeBase.num) / stream.timeBase.den
  }

  /** Opens `url` (a path for files). Errors: SRC_UNREADABLE, SRC_NO_VIDEO, SRC_TOO_LARGE, SRC_TIMEOUT, DEC_UNSUPPORTED. */
  static async open(url: string, options: DemuxerOptions): Promise<Demuxer> {
    const { openTimeoutMs, clock = systemClock, signal } = options
    const format = new FormatContext()
    // Interrupting a context before openInput made it native would be forgotten, hence the allocation first.
    format.allocContext()
    const call = new PatientCall(clock, () => format.interrupt())
    const interrupt = () => call.interrupt()
    signal?.addEventListener('abort', interrupt, { once: true })
    try {
      // Who is aborted already tells no listener.
      if (signal?.aborted) throw new GrabberError('SRC_TIMEOUT', 'the opening of the input was given up')
      const video = await call.run(openTimeoutMs, () => openVideo(format, url, options))
      // Probing that was interrupted may say that all is well, with half of the parameters.
      if (video && !call.late && !signal?.aborted)
        return new Demuxer(format, video, call, options.readTimeoutMs ?? openTimeoutMs)
      throw new GrabberError('SRC_TIMEOUT', 'the opening of the input was given up')
    } catch (error) {
      call[Symbol.dispose]()
      if (!call.stuck) await format.closeInput()
      if (call.late) throw new GrabberError('SRC_TIMEOUT', `no answer in ${openTimeoutMs} ms`, { cause: error })
      throw error
    } finally {
      signal?.removeEventListener('abort', interrupt)
    }
  }

  /** Clockwise turn that makes the picture upright, from the display matrix. */
  get rotation(): Rotation {
    return rotationOf(this.stream.codecpar.getCodedSideData(AV_PKT_DATA_DISPLAYMATRIX))
  }

  get fps(): number | null {
    const { num, den } = this.stream.avgFrameRate
    return num > 0 && den > 0 ? num / den : null
  }

  /** When the recording began, from the container's `creation_time`; ms since the epoch. */
  get recordedAtMs(): number | null {
    const tags = this.#format.metadata?.getAll() ?? {}
    const text = tags.creation_time ?? tags.CREATION_TIME
    const parsed = text === undefined ? Number.NaN : Date.parse(text)
    return Number.isFinite(parsed) ? parsed : null
  }

  /** Of the video stream alone, ms; `null` where the container states none of its own. */
  get videoDurationMs(): number | null {
    const { duration, timeBase } = this.stream
    return duration > 0n ? (Number(duration) * 1000 * timeBase.num) / timeBase.den : null
  }

  /** The first audio stream. */
  get audio(): AudioInfo | null {
    const found = this.#format.streams.find(({ codecpar }) => codecpar.codecType === AVMEDIA_TYPE_AUDIO)?.codecpar
    if (!found) return null
    const { codecId, channels, sampleRate } = found
    return { codec: avGetCodecName(codecId) ?? 'unknown', channels, sampleRate }
  }

  /** The demuxer found parts of it missing. */
  static isCorrupt(packet: Packet): boolean {
    return packet.hasFlags(AV_PKT_FLAG_CORRUPT)
  }

  /**
   * The next packet of the video stream in `into`, which stays the caller's; without it in a packet that the next call uses
   * again. Errors: SRC_TIMEOUT.
   */
  async read(into: Packet = this.#packet): Promise<PacketRead> {
    for (;;) {
      into.unref()
      const status = await this.#call.run(this.#readTimeoutMs, () => this.#format.readFrame(into))
      if (this.#call.late) throw new GrabberError('SRC_TIMEOUT', `no data in ${this.#readTimeoutMs} ms`)
      if (status === undefined || status === AVERROR_EOF || status === AVERROR_EXIT) return { packet: null }
      if (status < 0) return { packet: null, error: statusText(status) }
      if (into.streamIndex === this.#index) return { packet: into }
    }
  }

  /**
   * The next packet is that of an I-frame at or before `ms` in the stream's own time, where the container knows of one; else false.
   * Not while a `read` is awaited.
   */
  async seek(ms: number): Promise<boolean> {
    const { num, den } = this.stream.timeBase
    const ticks = BigInt(Math.floor((ms * den) / (1000 * num)))
    const seeking = () => this.#format.seekFrame(this.#index, ticks, AVSEEK_FLAG_BACKWARD)
    const status = await this.#call.run(this.#readTimeoutMs, seeking)
    if (this.#call.late) throw new GrabberError('SRC_TIMEOUT', `no data in ${this.#readTimeoutMs} ms`)
    return status !== undefined && status >= 0
  }

  /** A read was given up and may still write to its packet, which must not be freed. */
  get stuck(): boolean {
    return this.#call.stuck
  }

  /** Makes a read that is under way return, as at the end of the input. */
  interrupt(): void {
    this.#call.interrupt()
  }

  /** Not while a `read` is awaited. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#call[Symbol.dispose]()
    // A read that was given up still writes to this memory; the process is about to end and takes it along.
    if (this.stuck) return
    this.#packet.free()
    await this.#format.closeInput()
  }
}

/** The caller frees it. */
export function newPacket(): Packet {
  const packet = new Packet()
  packet.alloc()
  return packet
}

const unreadable = (status: number) =>
  new GrabberError('SRC_UNREADABLE', `the input cannot be opened: ${statusText(status)}`)

async function openVideo(context: FormatContext, url: string, options: DemuxerOptions): Promise<Stream> {
  const { openTimeoutMs, readTimeoutMs = openTimeoutMs, format, settings, failure = unreadable } = options
  await glanceAtSize(url)
  const nativeMs = NATIVE_FACTOR * Math.max(openTimeoutMs, readTimeoutMs)
  // Socket protocols take `timeout` in µs as well. A picture whose name holds a `%` is that picture, and not the pattern of
  // a sequence; what does not read pictures ignores it.
  const usual = url.includes('://') ? { timeout: String(nativeMs * 1000) } : { pattern_type: 'none' }
  const input = format === undefined ? null : InputFormat.findInputFormat(format)
  if (input === null && format !== undefined)
    throw new GrabberError('SRC_UNSUPPORTED', `this FFmpeg has no input ${format}`)
  const opened = await context.openInput(url, input, Dictionary.fromObject({ ...usual, ...settings }))
  if (opened < 0) throw failure(opened)
  const found = await context.findStreamInfo(null)
  if (found < 0) throw failure(found)
  const video = pickVideo(context)
  const { codecpar } = video
  if (codecpar.width <= 0 || codecpar.height <= 0)
    throw new GrabberError('SRC_UNREADABLE', 'the pictures of its video stream have no size')
  refuseTooLarge(codecpar)
  return video
}

function pickVideo(format: FormatContext): Stream {
  const videos = format.streams.filter(
    // A cover picture in an audio file is not a video.
    (s) => s.codecpar.codecType === AVMEDIA_TYPE_VIDEO && (s.disposition & AV_DISPOSITION_ATTACHED_PIC) === 0,
  )
  if (videos.length === 0) throw new GrabberError('SRC_NO_VIDEO', 'the input has no video stream')
  const best = format.findBestStream(AVMEDIA_TYPE_VIDEO, -1, -1, true)
  if (best.streamIndex === AVERROR_DECODER_NOT_FOUND || !best.decoder) {
    throw new GrabberError('DEC_UNSUPPORTED', 'no decoder for the codec of the video stream')
  }
  const chosen = videos.find((s) => s.index === best.streamIndex) ?? videos[0]!
  for (const stream of format.streams) if (stream.index !== chosen.index) stream.discard = AVDISCARD_ALL
  return chosen
}
