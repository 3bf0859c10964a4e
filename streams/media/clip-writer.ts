/**
 * An MP4 file made of packets that are taken over as they are. Session host only. Writes one file, and nothing else;
 * whoever asked for it throws away what was not finished.
 */
import { Dictionary, FormatContext, type Packet, type Stream } from 'node-av'
import { AVERROR_EACCES, AVERROR_ENOENT, AVERROR_ENOSPC } from 'node-av/constants'
import { GrabberError } from '../../core/errors.ts'
import { statusText } from './ffmpeg-status.ts'

/** POSIX numbers that FFmpeg negates and node-av does not name. */
const EROFS = -30
const EDQUOT = -122

/** Where Apple's players look for HEVC: `hvc1` keeps parameter sets in the header alone. */
const TAGS: Readonly<Record<string, string>> = { hevc: 'hvc1' }

export class ClipWriter implements AsyncDisposable {
  readonly #format = new FormatContext()
  readonly #streams: Stream[] = []
  #isOpen = false
  #hasHeader = false

  private constructor() {}

  /** `streams`: [codec, stream of the source]. STO_FULL, STO_OUTPUT; `undefined` where MP4 does not take these streams. */
  static async open(
    path: string,
    streams: readonly [codec: string, source: Stream][],
  ): Promise<ClipWriter | undefined> {
    const writer = new ClipWriter()
    try {
      if (await writer.#open(path, streams)) return writer
      await writer[Symbol.asyncDispose]()
      return undefined
    } catch (error) {
      await writer[Symbol.asyncDispose]()
      throw error
    }
  }

  /**
   * Appends a packet (it is consumed) to stream `index` of those given to `open`; `shift`, in ticks of its source, is taken from
   * its times. Times may be negative: an edit list then hides what comes before 0. STO_FULL, STO_OUTPUT.
   */
  async write(packet: Packet, index: number, source: Stream, shift: bigint): Promise<void> {
    const stream = this.#streams[index]!
    packet.pts -= shift
    packet.dts -= shift
    packet.rescaleTs(source.timeBase, stream.timeBase)
    packet.streamIndex = stream.index
    packet.pos = -1n
    written(await this.#format.interleavedWriteFrame(packet))
  }

  /** Writes the index, and moves it to the front. STO_FULL, STO_OUTPUT. */
  async finish(): Promise<void> {
    this.#hasHeader = false
    written(await this.#format.writeTrailer())
    await this.#close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
    this.#format.freeContext()
  }

  async #open(path: string, streams: readonly [codec: string, source: Stream][]): Promise<boolean> {
    if (this.#format.allocOutputContext2(null, 'mp4', path) < 0) return false
    for (const [codec, source] of streams) {
      const stream = this.#format.newStream(null)
      if (source.codecpar.copy(stream.codecpar) < 0) return false
      stream.codecpar.codecTag = TAGS[codec] ?? 0
      stream.timeBase = source.timeBase
      stream.sampleAspectRatio = source.sampleAspectRatio
      stream.avgFrameRate = source.avgFrameRate
      this.#streams.push(stream)
    }
    written(await this.#format.openOutput())
    this.#isOpen = true
    const status = await this.#format.writeHeader(Dictionary.fromObject({ movflags: '+faststart' }))
    if (status === AVERROR_ENOSPC) written(status)
    this.#hasHeader = status >= 0
    return this.#hasHeader
  }

  async #close(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    // Frees what the muxer holds; a file without it is thrown away in any case.
    if (this.#hasHeader) await this.#format.writeTrailer()
    await this.#format.closeOutput()
  }
}

function written(status: number): void {
  if (status >= 0) return
  const text = statusText(status)
  if (status === AVERROR_ENOSPC || status === EDQUOT) throw new GrabberError('STO_FULL', `a clip: ${text}`)
  if ([AVERROR_EACCES, AVERROR_ENOENT, EROFS].includes(status)) throw new GrabberError('STO_OUTPUT', `a clip: ${text}`)
  throw new GrabberError('DEC_ENCODE', `a clip could not be written: ${text}`)
}
