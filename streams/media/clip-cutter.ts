/**
 * Cuts pieces out of a recording without decoding: the packets as they are, in MP4 files of their own. Session host only.
 * A piece that cannot be cut that way is refused with its reason, which is no error. Each piece is looked at first (no data
 * is kept), planned (streams/analysis/cut-plan), then read again and written.
 */
import type { Packet, Stream } from 'node-av'
import { AV_NOPTS_VALUE, AV_PKT_FLAG_CORRUPT, AV_PKT_FLAG_DISCARD } from 'node-av/constants'
import type { Clock } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import type { CutAnswer, CutPiece, CutSpec } from '../../core/wire/cut-spec.ts'
import {
  type AudioPacket,
  planAudioCut,
  planVideoCut,
  REORDER_LIMIT,
  type VideoCut,
  type VideoPacket,
} from '../analysis/cut-plan.ts'
import { isRandomAccess } from '../analysis/random-access.ts'
import { ClipSource, codecName } from './clip-source.ts'
import { ClipWriter } from './clip-writer.ts'

/** What players of MP4 files are known to take (ISO/IEC 14496-12 registrations that browsers and phones decode). */
const VIDEO_CODECS = new Set(['h264', 'hevc', 'av1', 'vp9', 'mpeg4'])
const AUDIO_CODECS = new Set(['aac', 'mp3', 'ac3', 'eac3', 'opus', 'alac'])
/** Sound is interleaved with pictures, but not exactly: so much earlier it is read, s. */
const SOUND_LEAD_S = 1

/** What a piece is made of: the packets seen from its seek on, and which of them are taken. */
interface Plan {
  seekTicks: number
  video: Extract<VideoCut, { kind: 'cut' }>
  audio: readonly [first: number, end: number]
}

interface Seen {
  video: VideoPacket[]
  audio: AudioPacket[]
}

/** Answers each piece, in order. SRC_*, STO_*: the cutting as a whole fails. */
export async function cutPieces(spec: CutSpec, clock: Clock, onAnswer: (answer: CutAnswer) => void): Promise<void> {
  await using source = await ClipSource.open(spec.path, { openTimeoutMs: spec.openTimeoutMs, clock })
  const unfit = whyUnfit(source)
  for (const [index, piece] of spec.pieces.entries()) {
    const plan = unfit ?? (await planPiece(source, piece, spec))
    const made = typeof plan === 'string' ? plan : await writePiece(source, plan, piece.target)
    onAnswer(typeof made === 'string' ? { index, kind: 'refused', reason: made } : { index, kind: 'cut', ...made })
  }
}

function whyUnfit({ video, audio }: ClipSource): string | undefined {
  if (!VIDEO_CODECS.has(codecName(video))) return `${codecName(video)} is not put into MP4`
  if (audio && !AUDIO_CODECS.has(codecName(audio))) return `${codecName(audio)} is not put into MP4`
  return undefined
}

async function planPiece(
  source: ClipSource,
  { fromMs, toMs }: CutPiece,
  { toleranceMs, maxMs }: CutSpec,
): Promise<Plan | string> {
  const ticks = (ms: number) => (ms / 1000) * ticksPerSecond(source.video)
  const wanted = {
    from: source.startTicks + ticks(fromMs),
    to: source.startTicks + ticks(toMs),
    tolerance: ticks(toleranceMs),
    max: ticks(maxMs),
  }
  const seekTicks = wanted.from - wanted.tolerance - SOUND_LEAD_S * ticksPerSecond(source.video)
  const seen = await look(source, seekTicks, Math.max(wanted.to, wanted.from + wanted.max))
  const video = planVideoCut(seen.video, wanted)
  if (video.kind === 'refused') return video.reason
  const { audio } = source
  if (!audio) return { seekTicks, video, audio: [0, 0] }
  const scale = ticksPerSecond(audio) / ticksPerSecond(source.video)
  return { seekTicks, video, audio: planAudioCut(seen.audio, video.start * scale, video.stop * scale) }
}

/** All packets from `seekTicks` on, until far enough beyond `until` (ticks of the video) to be sure of the order. */
async function look(source: ClipSource, seekTicks: number, until: number): Promise<Seen> {
  const seen: Seen = { video: [], audio: [] }
  const codec = codecName(source.video)
  const { extradata } = source.video.codecpar
  await source.seek(seekTicks)
  for (let beyond = 0; beyond <= REORDER_LIMIT; ) {
    const packet = await source.read()
    if (!packet) break
    if (packet.streamIndex !== source.video.index) {
      seen.audio.push({ pts: Number(packet.pts), duration: Number(packet.duration) })
      continue
    }
    const pts = timeOf(packet.pts)
    const entry = packet.isKeyframe && packet.data !== null && isRandomAccess(codec, packet.data, extradata)
    const unusable = packet.hasFlags(AV_PKT_FLAG_CORRUPT) || packet.hasFlags(AV_PKT_FLAG_DISCARD)
    seen.video.push({ pts, dts: timeOf(packet.dts), duration: Number(packet.duration), entry, unusable })
    if (pts !== null && pts > until) beyond++
  }
  return seen
}

type Made = Omit<Extract<CutAnswer, { kind: 'cut' }>, 'index' | 'kind'>

/** What was written, or why it could not be. */
async function writePiece(source: ClipSource, plan: Plan, target: string): Promise<Made | string> {
  const { video, audio } = source
  const streams: [string, Stream][] = [[codecName(video), video]]
  if (audio) streams.push([codecName(audio), audio])
  await using writer = await ClipWriter.open(target, streams)
  if (!writer) return 'MP4 does not take its streams as they are'
  const shift = BigInt(plan.video.start)
  const audioShift = audio ? BigInt(Math.round((plan.video.start / ticksPerSecond(video)) * ticksPerSecond(audio))) : 0n
  let frames = 0
  await source.seek(plan.seekTicks)
  for await (const { packet, kind, at } of counted(source, plan)) {
    if (kind === 'audio') {
      if (at >= plan.audio[0] && at < plan.audio[1]) await writer.write(packet, 1, audio!, audioShift)
    } else if (at >= plan.video.first && packet.pts >= shift) {
      if (at === plan.video.first && packet.pts !== shift)
        throw new GrabberError('SRC_CHANGED', 'the file was another when it was read again')
      await writer.write(packet, 0, video, shift)
      frames++
    }
  }
  await writer.finish()
  const ms = (ticks: number) => ((ticks - source.startTicks) / ticksPerSecond(video)) * 1000
  return { fromMs: ms(plan.video.start), toMs: ms(plan.video.stop), frames }
}

/** The packets as they are read, numbered within their stream, until all that the plan takes are read. */
async function* counted(
  source: ClipSource,
  plan: Plan,
): AsyncGenerator<{ packet: Packet; kind: 'video' | 'audio'; at: number }> {
  let videos = 0
  let sounds = 0
  while (videos < plan.video.end || sounds < plan.audio[1]) {
    const packet = await source.read()
    if (!packet) throw new GrabberError('SRC_CHANGED', 'the file was shorter when it was read again')
    const isVideo = packet.streamIndex === source.video.index
    if (isVideo) {
      const at = videos++
      if (at < plan.video.end) yield { packet, kind: 'video', at }
    } else yield { packet, kind: 'audio', at: sounds++ }
  }
}

function timeOf(ticks: bigint): number | null {
  return ticks === AV_NOPTS_VALUE ? null : Number(ticks)
}

function ticksPerSecond({ timeBase }: Stream): number {
  return timeBase.den / timeBase.num
}
