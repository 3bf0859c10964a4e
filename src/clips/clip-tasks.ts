/**
 * What ffmpeg is asked for, for clips: tasks as plain data. Pure.
 */
import type { FfmpegInput, FfmpegTask } from '../../core/wire/transcode.ts'
import type { LoudnessScan } from './loudness.ts'
import { type Aim, applyFilter, preparation, STEREO, scanFilter } from './loudness-aim.ts'
import { outputRate } from './output-rate.ts'
import { pictureFilter } from './picture-filter.ts'
import type { SourceFacts } from './source-facts.ts'
import { joinGraph, type Transition } from './transitions.ts'

/** A stretch of a recording, media time from its first picture. */
export interface Span {
  fromMs: number
  toMs: number
}

export interface Recording {
  path: string
  facts: SourceFacts
}

/** Filters that bring the sound of a stretch to its loudness; `null`: it is silent and stays as it is, or there is none. */
export type SoundFilters = readonly string[] | null

/** x264's own default for quality is 23; clips are looked at closely, and are short. */
const VIDEO_OPTIONS = [
  '-c:v',
  'libx264',
  '-preset',
  'medium',
  '-crf',
  '20',
  '-profile:v',
  'high',
  '-pix_fmt',
  'yuv420p',
]
const COLOUR_OPTIONS = [
  '-color_primaries',
  'bt709',
  '-color_trc',
  'bt709',
  '-colorspace',
  'bt709',
  '-color_range',
  'tv',
]
/** AAC-LC at 192 kbit/s is transparent for stereo (EBU Tech 3339). */
const AUDIO_OPTIONS = ['-c:a', 'aac', '-b:a', '192k', '-ar', '48000']
const FILE_OPTIONS = ['-map_metadata', '-1', '-map_chapters', '-1', '-movflags', '+faststart', '-f', 'mp4']
const NOTHING_WRITTEN = ['-f', 'null']

const lengthS = ({ fromMs, toMs }: Span) => (toMs - fromMs) / 1000

/** First pass over a stretch's sound: its log has the report. */
export function scanTask(recording: Recording, span: Span, aim: Aim): FfmpegTask {
  const filters = [...soundStart(span), ...preparation(aim), scanFilter()]
  return {
    purpose: 'measuring the loudness',
    inputs: [inputOf(recording, span)],
    graph: `${soundPad(recording, 0)}${filters.join(',')}[a]`,
    options: ['-map', '[a]', ...NOTHING_WRITTEN],
    target: '-',
  }
}

/** Second pass, without pictures: what the sound becomes, for measuring. */
export function soundTask(recording: Recording, span: Span, filters: SoundFilters, target: string): FfmpegTask {
  return {
    purpose: 'encoding the sound',
    inputs: [inputOf(recording, span)],
    graph: soundChain(recording, 0, span, filters, 'a'),
    options: ['-map', '[a]', ...AUDIO_OPTIONS, '-map_metadata', '-1', '-f', 'mp4'],
    target,
  }
}

export function soundFilters(aim: Aim, scan: LoudnessScan): string[] {
  return [...preparation(aim), ...applyFilter(aim, scan)]
}

/** A clip as it is published. */
export function encodeTask(recording: Recording, span: Span, filters: SoundFilters, target: string): FfmpegTask {
  return filmTask(recording, [span], [filters], ['cut'], target).task
}

/** Several clips as one film; each part is encoded once, from the recording itself. */
export function filmTask(
  recording: Recording,
  spans: readonly Span[],
  filters: readonly SoundFilters[],
  transitions: readonly Transition[],
  target: string,
): { task: FfmpegTask; lengthMs: number } {
  const { facts } = recording
  const hasSound = facts.audio !== null
  const joined = joinGraph(spans.map(lengthS), transitions, outputRate(facts.video), hasSound)
  const parts = spans.flatMap((span, i) => [
    `[${i}:${facts.video.index}]${pictureFilter(facts.video)},${exactly(span)},settb=AVTB[v${i}]`,
    ...(hasSound ? [soundChain(recording, i, span, filters[i] ?? null, `a${i}`)] : []),
  ])
  const task = {
    purpose: spans.length > 1 ? 'encoding the film' : 'encoding the clip',
    inputs: spans.map((span) => inputOf(recording, span)),
    graph: [...parts, ...joined.chains].join(';'),
    options: [
      ...['-map', '[v]', ...VIDEO_OPTIONS, ...COLOUR_OPTIONS],
      ...(hasSound ? ['-map', '[a]', ...AUDIO_OPTIONS] : []),
      ...['-t', joined.lengthS.toFixed(3), ...FILE_OPTIONS],
    ],
    target,
  }
  return { task, lengthMs: joined.lengthS * 1000 }
}

/** Decodes a whole file, ending at the first thing that is wrong; its log has the meter's report where there is sound. */
export function meterTask(path: string, hasSound: boolean): FfmpegTask {
  return {
    purpose: 'checking what was written',
    inputs: [{ path, options: ['-xerror', '-err_detect', 'explode'] }],
    graph: hasSound ? '[0:a:0]ebur128=peak=true:framelog=verbose[a]' : null,
    options: ['-map', '0:v:0', ...(hasSound ? ['-map', '[a]'] : []), ...NOTHING_WRITTEN],
    target: '-',
  }
}

/** The same for sound alone. */
export function soundMeterTask(path: string): FfmpegTask {
  const { inputs, ...task } = meterTask(path, true)
  return { ...task, inputs, options: ['-map', '[a]', ...NOTHING_WRITTEN] }
}

/** `-ss` counts from where the container begins, and we from the first picture. */
function inputOf({ path, facts }: Recording, span: Span): FfmpegInput {
  const fromS = (span.fromMs + facts.video.startMs - facts.startMs) / 1000
  return { path, options: ['-ss', fromS.toFixed(6), '-t', lengthS(span).toFixed(6)] }
}

function soundPad({ facts }: Recording, input: number): string {
  return `[${input}:${facts.audio!.index}]`
}

/** Stereo, and as long as the pictures: sound that ends before them goes on in silence. */
function soundStart(span: Span): string[] {
  return [STEREO, `apad=whole_dur=${lengthS(span).toFixed(3)}`, `atrim=end=${lengthS(span).toFixed(3)}`]
}

function soundChain(recording: Recording, input: number, span: Span, filters: SoundFilters, name: string): string {
  return `${soundPad(recording, input)}${[...soundStart(span), ...(filters ?? [])].join(',')}[${name}]`
}

/** Pictures of exactly the stretch's length: the last one stays where the recording ends a moment early. */
function exactly(span: Span): string {
  return `tpad=stop_mode=clone:stop_duration=1,trim=end=${lengthS(span).toFixed(6)}`
}
