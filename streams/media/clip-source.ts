/**
 * A recording that is read for cutting: its video and its sound as packets, from a place on. Session host only.
 * Decodes nothing. Opened and read with limits, as everything that is opened here.
 */
import { avGetCodecName, Dictionary, FormatContext, Packet, type Stream } from 'node-av'
import {
  AV_DISPOSITION_ATTACHED_PIC,
  AV_NOPTS_VALUE,
  AVDISCARD_ALL,
  AVERROR_EOF,
  AVMEDIA_TYPE_AUDIO,
  AVMEDIA_TYPE_VIDEO,
  AVSEEK_FLAG_BACKWARD,
} from 'node-av/constants'
import type { Clock } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import { statusText } from './ffmpeg-status.ts'
import { PatientCall } from './patient-call.ts'

export interface ClipSourceOptions {
  /** For opening, and for each packet; beyond it SRC_TIMEOUT. */
  openTimeoutMs: number
  clock: Clock
}

export class ClipSource implements AsyncDisposable {
  readonly video: Stream
  /** `null`: there is no sound. */
  readonly audio: Stream | null
  readonly #format: FormatContext
  readonly #call: PatientCall
  readonly #limitMs: number
  readonly #packet = new Packet()

  private constructor(format: FormatContext, call: PatientCall, limitMs: number, video: Stream, audio: Stream | null) {
    this.#format = format
    this.#call = call
    this.#limitMs = limitMs
    this.video = video
    this.audio = audio
    this.#packet.alloc()
  }

  /** SRC_UNREADABLE, SRC_NO_VIDEO, SRC_TIMEOUT. */
  static async open(path: string, { openTimeoutMs, clock }: ClipSourceOptions): Promise<ClipSource> {
    const format = new FormatContext()
    format.allocContext()
    const call = new PatientCall(clock, () => format.interrupt())
    try {
      const streams = await call.run(openTimeoutMs, () => openStreams(format, path))
      if (!streams || call.late) throw new GrabberError('SRC_TIMEOUT', `no answer in ${openTimeoutMs} ms`)
      return new ClipSource(format, call, openTimeoutMs, streams.video, streams.audio)
    } catch (error) {
      call[Symbol.dispose]()
      if (!call.stuck) await format.closeInput()
      throw error
    }
  }

  /** First picture's PTS, ticks of the video: media time 0. */
  get startTicks(): number {
    const { startTime } = this.video
    return startTime === AV_NOPTS_VALUE ? 0 : Number(startTime)
  }

  /** Goes to an I-frame at or before `ticks` of the video, or to the beginning. */
  async seek(ticks: number): Promise<void> {
    const to = BigInt(Math.floor(ticks))
    const status = await this.#limited(() => this.#format.seekFrame(this.video.index, to, AVSEEK_FLAG_BACKWARD))
    if (status >= 0) return
    // Before the first entry of an index, or in a stream that has no index: from the beginning.
    const again = await this.#limited(() => this.#format.seekFrame(-1, 0n, AVSEEK_FLAG_BACKWARD))
    if (again < 0) throw new GrabberError('SRC_UNREADABLE', `one cannot go back in it: ${statusText(again)}`)
  }

  /** The next packet of video or sound, valid until the next call; `null` at the end. SRC_UNREADABLE, SRC_TIMEOUT. */
  async read(): Promise<Packet | null> {
    const packet = this.#packet
    for (;;) {
      packet.unref()
      const status = await this.#limited(() => this.#format.readFrame(packet))
      if (status === AVERROR_EOF) return null
      if (status < 0) throw new GrabberError('SRC_UNREADABLE', `it ends on an error: ${statusText(status)}`)
      if (packet.streamIndex === this.video.index || packet.streamIndex === this.audio?.index) return packet
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#call[Symbol.dispose]()
    // A call that was given up still writes to this memory; the process is about to end.
    if (this.#call.stuck) return
    this.#packet.free()
    await this.#format.closeInput()
  }

  async #limited(call: () => Promise<number>): Promise<number> {
    const status = await this.#call.run(this.#limitMs, call)
    if (status === undefined || this.#call.late) throw new GrabberError('SRC_TIMEOUT', `no data in ${this.#limitMs} ms`)
    return status
  }
}

/** Short name as FFmpeg has it, such as `h264`. */
export function codecName({ codecpar }: Stream): string {
  return avGetCodecName(codecpar.codecId) ?? 'unknown'
}

async function openStreams(format: FormatContext, path: string): Promise<{ video: Stream; audio: Stream | null }> {
  const opened = await format.openInput(path, null, Dictionary.fromObject({ pattern_type: 'none' }))
  if (opened < 0) throw new GrabberError('SRC_UNREADABLE', `the input cannot be opened: ${statusText(opened)}`)
  const found = await format.findStreamInfo(null)
  if (found < 0) throw new GrabberError('SRC_UNREADABLE', `its streams cannot be read: ${statusText(found)}`)
  const best = (type: typeof AVMEDIA_TYPE_VIDEO) => {
    const wanted = format.findBestStream(type, -1, -1)
    return format.streams.find(({ index }) => index === wanted)
  }
  const video = best(AVMEDIA_TYPE_VIDEO)
  if (!video || (video.disposition & AV_DISPOSITION_ATTACHED_PIC) !== 0)
    throw new GrabberError('SRC_NO_VIDEO', 'the input has no video stream')
  const audio = best(AVMEDIA_TYPE_AUDIO) ?? null
  for (const stream of format.streams) {
    if (stream.index !== video.index && stream.index !== audio?.index) stream.discard = AVDISCARD_ALL
  }
  return { video, audio }
}
