/**
 * What events say was worth seeing: the lines of `grabber replay --events`. Pure. Names of people are in the events and must
 * not get into what is said of a moment.
 */
import { z } from 'zod'
import { GrabberError } from '../../core/errors.ts'
import { type EventData, eventSchemas } from '../../core/event.ts'
import type { Moment } from './moment.ts'

/** A person who is known tells most, a face more than movement, and a picture that was kept is only a hint. */
const WEIGHTS = { known: 0.9, candidate: 0.6, unknown: 0.5, motion: 0.2, keyframe: 0.3 }
/** A movement without an end in the file: it went on at least so long, ms. */
const OPEN_MOTION_MS = 5000

const lineSchema = z.object({ type: z.string(), subject: z.string(), data: z.unknown() })
type Line = z.output<typeof lineSchema>

interface Track {
  fromMs: number
  toMs: number
  peakMs: number
  quality: number
  status: EventData<'face.track'>['identity']['status']
}

/**
 * Moments of `camera`; of the only camera there is, whatever its name, when the file does not speak of that one. CFG_USAGE where
 * a line is no event, and where it speaks of several others.
 */
export function eventMoments(text: string, camera: string): Moment[] {
  const lines = text.split('\n').flatMap((line, at) => (line.trim() === '' ? [] : [parse(line, at + 1)]))
  const cameras = new Set(lines.map(({ subject }) => subject))
  if (cameras.size > 1 && !cameras.has(camera))
    throw refusal(`the events are of ${[...cameras].sort().join(', ')}; name one of them with --camera`)
  const own = cameras.size > 1 ? lines.filter(({ subject }) => subject === camera) : lines
  return [...trackMoments(own), ...motionMoments(own), ...keyframeMoments(own)]
}

function trackMoments(lines: readonly Line[]): Moment[] {
  const tracks = new Map<string, Track>()
  for (const { trackId, frame, quality, identity } of dataOf(lines, 'face.track')) {
    const { ptsMs } = frame
    const track = tracks.get(trackId)
    if (!track) {
      tracks.set(trackId, { fromMs: ptsMs, toMs: ptsMs, peakMs: ptsMs, quality, status: identity.status })
      continue
    }
    track.fromMs = Math.min(track.fromMs, ptsMs)
    track.toMs = Math.max(track.toMs, ptsMs)
    track.status = identity.status
    if (quality > track.quality) Object.assign(track, { quality, peakMs: ptsMs })
  }
  return [...tracks.values()].map(({ fromMs, toMs, peakMs, quality, status }) => {
    const isKnown = status === 'confirmed' || status === 'corrected'
    const kind = isKnown ? 'known' : status
    const what = `${isKnown ? 'a known face' : 'a face'} for ${seconds(toMs - fromMs)}`
    // Half of it is that it is there at all, half how well it is seen.
    return { fromMs, toMs, peakMs, weight: WEIGHTS[kind] * (0.5 + 0.5 * quality), what }
  })
}

function motionMoments(lines: readonly Line[]): Moment[] {
  const moments: Moment[] = []
  let start: { ptsMs: number; areaRatio: number } | undefined
  const end = (toMs: number) => {
    if (!start) return
    const { ptsMs: fromMs, areaRatio } = start
    const what = `movement in ${Math.round(areaRatio * 100)} % of the picture for ${seconds(toMs - fromMs)}`
    moments.push({ fromMs, toMs, peakMs: fromMs, weight: WEIGHTS.motion * (0.5 + 0.5 * areaRatio), what })
    start = undefined
  }
  for (const { phase, areaRatio, frame } of dataOf(lines, 'motion')) {
    if (phase === 'end') end(frame.ptsMs)
    else start ??= { ptsMs: frame.ptsMs, areaRatio }
  }
  if (start) end(start.ptsMs + OPEN_MOTION_MS)
  return moments
}

function keyframeMoments(lines: readonly Line[]): Moment[] {
  return dataOf(lines, 'keyframe').map(({ frame: { ptsMs }, score }) => {
    const what = `a keyframe of score ${score.toFixed(2)}`
    return { fromMs: ptsMs, toMs: ptsMs, peakMs: ptsMs, weight: WEIGHTS.keyframe * score, what }
  })
}

function dataOf<T extends 'face.track' | 'motion' | 'keyframe'>(lines: readonly Line[], type: T): EventData<T>[] {
  const schema: z.ZodType<EventData<T>> = eventSchemas[type] as never
  return lines
    .filter((line) => line.type === type)
    .map(({ data }) => {
      const parsed = schema.safeParse(data)
      if (!parsed.success)
        throw refusal(`an event ${type} is not what its schema says: ${z.prettifyError(parsed.error)}`)
      return parsed.data
    })
}

function parse(line: string, number: number): Line {
  try {
    const parsed = lineSchema.safeParse(JSON.parse(line))
    if (parsed.success) return parsed.data
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw refusal(`line ${number} is no event`)
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`

function refusal(message: string): GrabberError {
  return new GrabberError('CFG_USAGE', message, { remedy: 'give what `grabber replay --events FILE` wrote' })
}
