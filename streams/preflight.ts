/**
 * A look at a recording before a job works on it: all its packets, and one picture. Session host only, since the input may be
 * hostile. Owns the demuxer and the decoder of the look. Judges nothing: that is src/jobs/preflight.ts.
 * Damage within the payload of a packet is found only by decoding all of it, which the job does itself.
 */
import { stat } from 'node:fs/promises'
import type { Clock } from '../core/clock.ts'
import { GrabberError } from '../core/errors.ts'
import type { ColourInfo, DamageAt, PreflightReport } from '../core/wire/preflight.ts'
import { FrameDistances } from './analysis/frame-distances.ts'
import { type NalFormat, nalFormat, nalProblem } from './analysis/nal-structure.ts'
import { colourOf } from './media/colour-info.ts'
import { Decoder } from './media/decoder.ts'
import { Demuxer, type PacketRead } from './media/demuxer.ts'
import { describeStream } from './sources/describe-stream.ts'
import { earlyEnd } from './sources/file-end.ts'

/** At most this many positions are kept; the count goes on. */
const POSITIONS = 20
/** A recording that ends this much before its container's duration was cut off, ms; as in file-pass. */
const SHORT_MS = 1000
/** Between two signs of life, ms. */
const SIGN_MS = 500

export interface PreflightOptions {
  path: string
  openTimeoutMs: number
  clock: Clock
  /** So far it has come; while packets come, at least once a second. */
  onSign(ptsMs: number, byte: number | null): void
}

/**
 * Errors: SRC_UNREADABLE, SRC_NO_VIDEO, SRC_TOO_LARGE, SRC_TIMEOUT, DEC_UNSUPPORTED; DEC_FAILED when not one picture can be
 * decoded; DEC_HUNG; SRC_CHANGED when it is written to meanwhile.
 */
export async function preflight(options: PreflightOptions): Promise<PreflightReport> {
  const { path, openTimeoutMs, clock } = options
  const before = await look(path)
  await using demuxer = await Demuxer.open(path, { openTimeoutMs, clock })
  using decoder = await Decoder.open(demuxer.stream, { threads: 1, callTimeoutMs: openTimeoutMs, clock })
  const scan = new Scan(demuxer, decoder, options)
  await scan.run()
  const after = await look(path)
  if (after.size !== before.size || after.mtimeMs !== before.mtimeMs)
    throw new GrabberError('SRC_CHANGED', 'the file was written to while it was looked at')
  return scan.report(before.size)
}

async function look(path: string): Promise<{ size: number; mtimeMs: number }> {
  return stat(path).catch((cause) => {
    throw new GrabberError('SRC_UNREADABLE', `the file cannot be looked at (${cause.code})`, { cause })
  })
}

class Scan {
  readonly #demuxer: Demuxer
  readonly #decoder: Decoder
  readonly #options: PreflightOptions
  readonly #distances: FrameDistances
  readonly #format: NalFormat | null
  readonly #msPerTick: number
  readonly #damage: DamageAt[] = []
  #damaged = 0
  #packets = 0
  #variable = false
  #iframes = 0
  #ptsMs = 0
  #endMs = 0
  /** Where the last packet ends in the file. */
  #byte: number | null = null
  #signedMs: number
  /** Of the first picture, once there is one. */
  #colour: ColourInfo | undefined

  constructor(demuxer: Demuxer, decoder: Decoder, options: PreflightOptions) {
    this.#demuxer = demuxer
    this.#decoder = decoder
    this.#options = options
    const { timeBase, codecpar } = demuxer.stream
    this.#msPerTick = (1000 * timeBase.num) / timeBase.den
    this.#distances = new FrameDistances(this.#msPerTick)
    this.#format = nalFormat(decoder.name, codecpar.extradata)
    this.#signedMs = options.clock.monotonicMs()
  }

  async run(): Promise<void> {
    for (let more = true; more; ) {
      const { packet, error } = await this.#demuxer.read()
      if (packet) this.#take(packet)
      if (error !== undefined) this.#note(error, this.#byte)
      if (!this.#colour) await this.#decode(packet)
      this.#sign()
      more = packet !== null
    }
    if (!this.#colour) throw new GrabberError('DEC_FAILED', 'not one picture could be decoded')
    const { variable, gaps } = this.#distances.end()
    this.#variable = variable
    for (const { ptsMs, ms, byte } of gaps) this.#note(`no picture for ${(ms / 1000).toFixed(1)} s`, byte, ptsMs)
    await this.#checkEnd()
    this.#damage.sort((a, b) => a.ptsMs - b.ptsMs)
  }

  report(sizeBytes: number): PreflightReport {
    const stream = describeStream(this.#demuxer, this.#decoder)
    const positions = this.#damage.map(({ ptsMs, what }) => ({ ptsMs, what }))
    return {
      stream: { ...stream, durationMs: stream.durationMs ?? this.#endMs },
      sizeBytes,
      colour: this.#colour!,
      audio: this.#demuxer.audio,
      packets: this.#packets,
      iframes: this.#iframes,
      variableFrameRate: this.#variable,
      damage: { count: this.#damaged, positions, at: this.#damage },
    }
  }

  #take(packet: NonNullable<PacketRead['packet']>): void {
    this.#packets++
    if (packet.isKeyframe) this.#iframes++
    const at = packet.pos < 0n ? null : Number(packet.pos)
    const ptsMs = this.#decoder.timeMs(packet.pts) ?? this.#decoder.timeMs(packet.dts)
    if (ptsMs !== null) {
      this.#ptsMs = ptsMs - this.#demuxer.startMs
      this.#endMs = Math.max(this.#endMs, this.#ptsMs + Number(packet.duration) * this.#msPerTick)
      this.#distances.add(this.#ptsMs, at)
    }
    const problem = this.#format && packet.data ? nalProblem(packet.data, this.#format) : null
    if (problem !== null) this.#note(problem, at)
    else if (Demuxer.isCorrupt(packet)) this.#note('the container says that the packet is damaged', at)
    if (at !== null) this.#byte = at + packet.size
  }

  /** Until the first picture. */
  async #decode(packet: PacketRead['packet']): Promise<void> {
    for await (const item of this.#decoder.decode(packet)) {
      if ('damage' in item) {
        this.#note(`before the first picture: ${item.damage}`, this.#byte)
        continue
      }
      this.#colour ??= said(colourOf(item.frame), colourOf(this.#demuxer.stream.codecpar))
      item.frame.free()
    }
  }

  async #checkEnd(): Promise<void> {
    const durationMs = this.#demuxer.videoDurationMs ?? this.#demuxer.durationMs
    if (durationMs !== null && durationMs - this.#endMs > SHORT_MS) {
      const [read, whole] = [this.#endMs, durationMs].map((ms) => (ms / 1000).toFixed(1))
      this.#note(`the pictures end at ${read} s of ${whole} s`, this.#byte)
      return
    }
    const end = await earlyEnd(this.#options.path, this.#demuxer.container)
    if (end) this.#note(end.what, end.byte, this.#endMs)
  }

  #note(what: string, byte: number | null, ptsMs = this.#ptsMs): void {
    this.#damaged++
    if (this.#damage.length < POSITIONS) this.#damage.push({ ptsMs, byte, what })
  }

  #sign(): void {
    const nowMs = this.#options.clock.monotonicMs()
    if (nowMs - this.#signedMs < SIGN_MS) return
    this.#signedMs = nowMs
    this.#options.onSign(this.#ptsMs, this.#byte)
  }
}

/** What the picture says; where it says nothing, what the container says. */
function said(picture: ColourInfo, container: ColourInfo): ColourInfo {
  const one = (key: 'primaries' | 'transfer' | 'matrix' | 'range') =>
    picture[key] === 'unknown' ? container[key] : picture[key]
  return {
    primaries: one('primaries'),
    transfer: one('transfer'),
    matrix: one('matrix'),
    range: one('range'),
    bitDepth: picture.bitDepth,
    hdr: picture.hdr ?? container.hdr,
  }
}
