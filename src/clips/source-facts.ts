/**
 * What ffprobe says of a file, as far as clips need it. Pure: parses ffprobe's JSON, which comes from a hostile file.
 */
import { z } from 'zod'
import { GrabberError } from '../../core/errors.ts'
import type { ColourInfo } from '../../core/wire/preflight.ts'

export interface VideoFacts {
  /** Of the stream in its file. */
  index: number
  codec: string
  profile: string
  pixelFormat: string
  /** As coded, before it is turned upright, px. */
  width: number
  height: number
  /** Clockwise turn that makes it upright, degrees: 0, 90, 180 or 270. */
  rotation: number
  /** `unknown` where the stream does not say. */
  primaries: string
  transfer: string
  matrix: string
  range: string
  hdr: ColourInfo['hdr']
  /** How bright it gets, cd/m² (MaxCLL of CTA-861.3); `null` where it does not say. */
  peakNits: number | null
  isInterlaced: boolean
  /** Pictures a second as the container has it on average, and the rate that all its times are multiples of; `null`: unknown. */
  averageFps: number | null
  baseFps: number | null
  /** PTS of the first picture, ms. */
  startMs: number
  durationMs: number | null
}

export interface AudioFacts {
  index: number
  codec: string
  channels: number
  /** Such as `stereo` or `5.1`; empty where the stream does not say. */
  layout: string
  sampleRate: number
  startMs: number
}

export interface SourceFacts {
  /** As FFmpeg names it, such as `mov,mp4,m4a,3gp,3g2,mj2`. */
  container: string
  /** Number of streams of all kinds. */
  streams: number
  /** Where the container's time begins, ms: what `-ss` counts from. */
  startMs: number
  durationMs: number
  video: VideoFacts
  audio: AudioFacts | null
}

const text = z.string().catch('unknown')
const number = z.coerce.number().catch(Number.NaN)
const streamSchema = z.object({
  index: z.int(),
  codec_type: text,
  codec_name: text,
  profile: z.coerce.string().catch(''),
  pix_fmt: text,
  width: z.int().catch(0),
  height: z.int().catch(0),
  color_primaries: text,
  color_transfer: text,
  color_space: text,
  color_range: text,
  field_order: text,
  avg_frame_rate: z.string().catch('0/0'),
  r_frame_rate: z.string().catch('0/0'),
  start_time: number,
  duration: number,
  channels: z.int().catch(0),
  channel_layout: z.string().catch(''),
  sample_rate: number,
  disposition: z
    .object({ attached_pic: z.int().catch(0), default: z.int().catch(0) })
    .catch({ attached_pic: 0, default: 0 }),
  side_data_list: z
    .array(z.looseObject({ rotation: z.number().optional(), max_content: z.number().optional() }))
    .catch([]),
})
type StreamAnswer = z.output<typeof streamSchema>

const answerSchema = z.object({
  streams: z.array(streamSchema),
  format: z.object({ format_name: text, start_time: number, duration: number }),
})

/** SRC_UNREADABLE, SRC_NO_VIDEO. */
export function sourceFacts(answer: unknown): SourceFacts {
  const parsed = answerSchema.safeParse(answer)
  if (!parsed.success) throw new GrabberError('SRC_UNREADABLE', 'ffprobe says nothing of it that can be used')
  const { streams, format } = parsed.data
  const videos = streams.filter(
    ({ codec_type, disposition }) => codec_type === 'video' && disposition.attached_pic === 0,
  )
  const video = preferred(videos)
  if (!video) throw new GrabberError('SRC_NO_VIDEO', 'the input has no video stream')
  const audio = preferred(streams.filter(({ codec_type, channels }) => codec_type === 'audio' && channels > 0))
  return {
    container: format.format_name,
    streams: streams.length,
    startMs: ms(format.start_time),
    durationMs: ms(Number.isNaN(video.duration) ? format.duration : video.duration),
    video: videoFacts(video),
    audio: audio ? audioFacts(audio) : null,
  }
}

/** As FFmpeg chooses (av_find_best_stream): what is marked as the default, else the larger picture or the more channels. */
function preferred(streams: readonly StreamAnswer[]): StreamAnswer | undefined {
  const size = ({ width, height, channels }: StreamAnswer) => width * height + channels
  return streams.toSorted((a, b) => b.disposition.default - a.disposition.default || size(b) - size(a))[0]
}

function videoFacts(stream: StreamAnswer): VideoFacts {
  const { color_primaries: primaries, color_transfer: transfer, color_space: matrix } = stream
  const turn = stream.side_data_list.find(({ rotation }) => rotation !== undefined)?.rotation ?? 0
  const peak = stream.side_data_list.find(({ max_content }) => max_content !== undefined)?.max_content
  return {
    index: stream.index,
    codec: stream.codec_name,
    profile: stream.profile,
    pixelFormat: stream.pix_fmt,
    width: stream.width,
    height: stream.height,
    // ffprobe counts counter-clockwise.
    rotation: ((Math.round(-turn) % 360) + 360) % 360,
    primaries,
    transfer,
    matrix,
    range: stream.color_range,
    hdr: hdrOf(primaries, transfer, matrix),
    peakNits: peak ? peak : null,
    isInterlaced: ['tt', 'bb', 'tb', 'bt'].includes(stream.field_order),
    averageFps: rate(stream.avg_frame_rate),
    baseFps: rate(stream.r_frame_rate),
    startMs: ms(stream.start_time),
    durationMs: Number.isNaN(stream.duration) ? null : ms(stream.duration),
  }
}

function audioFacts({
  index,
  codec_name,
  channels,
  channel_layout,
  sample_rate,
  start_time,
}: StreamAnswer): AudioFacts {
  return {
    ...{ index, codec: codec_name, channels, layout: channel_layout },
    sampleRate: Number.isNaN(sample_rate) ? 0 : sample_rate,
    startMs: ms(start_time),
  }
}

/** PQ and HLG by their transfer; else BT.2020 by its primaries or its matrix. */
function hdrOf(primaries: string, transfer: string, matrix: string): ColourInfo['hdr'] {
  if (transfer === 'smpte2084') return 'pq'
  if (transfer === 'arib-std-b67') return 'hlg'
  return primaries === 'bt2020' || matrix.startsWith('bt2020') ? 'bt2020' : null
}

function rate(text: string): number | null {
  const [num = 0, den = 0] = text.split('/').map(Number)
  return num > 0 && den > 0 ? num / den : null
}

function ms(seconds: number): number {
  return Number.isNaN(seconds) ? 0 : seconds * 1000
}
