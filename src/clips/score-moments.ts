/**
 * What an extraction's scores say was worth seeing: the table of candidates in metadata.json. Pure. A moment is a window of the
 * least length of a clip, worth the mean of its pictures: half their quality, half their saliency.
 */
import { z } from 'zod'
import { GrabberError } from '../../core/errors.ts'
import type { Moment } from './moment.ts'

/** A window begins at least so far from the one before it: neighbours differ by a frame or two. */
const STEP_MS = 1000

const metadataSchema = z.object({
  source: z.object({ sizeBytes: z.number() }),
  candidates: z.object({ columns: z.array(z.string()), rows: z.array(z.array(z.unknown())) }),
})

export interface ScoredPicture {
  ptsMs: number
  /** 0–1. */
  value: number
}

/** Windows of `minMs`, the best first, not overlapping. CFG_USAGE when it is no metadata.json, or one of another file. */
export function scoreMoments(text: string, sizeBytes: number, minMs: number, count: number): Moment[] {
  const { source, candidates } = parse(text)
  if (source.sizeBytes !== sizeBytes)
    throw refusal(`the scores are of a file of ${source.sizeBytes} bytes, and this one has ${sizeBytes}`)
  return bestWindows(scoredPictures(candidates), minMs, count)
}

export function bestWindows(pictures: readonly ScoredPicture[], lengthMs: number, count: number): Moment[] {
  const overall = meanOf(pictures)
  const windows: Moment[] = []
  let sum = 0
  let end = 0
  let beganMs = Number.NEGATIVE_INFINITY
  for (const [first, { ptsMs: fromMs, value }] of pictures.entries()) {
    for (; end < pictures.length && pictures[end]!.ptsMs < fromMs + lengthMs; end++) sum += pictures[end]!.value
    if (fromMs - beganMs >= STEP_MS) {
      beganMs = fromMs
      const inside = end - first
      const what = `pictures worth ${(sum / inside).toFixed(2)} on average, of the whole ${overall.toFixed(2)}`
      windows.push({ fromMs, toMs: fromMs + lengthMs, peakMs: fromMs + lengthMs / 2, weight: sum / inside, what })
    }
    sum -= value
  }
  const chosen: Moment[] = []
  for (const window of windows.sort((a, b) => b.weight - a.weight || a.fromMs - b.fromMs)) {
    if (chosen.length === count) break
    if (chosen.every(({ fromMs, toMs }) => window.toMs <= fromMs || window.fromMs >= toMs)) chosen.push(window)
  }
  return chosen
}

function meanOf(pictures: readonly ScoredPicture[]): number {
  return pictures.reduce((sum, { value }) => sum + value, 0) / Math.max(1, pictures.length)
}

/** In order of time. A picture without a saliency counts with its quality alone. */
function scoredPictures({ columns, rows }: z.output<typeof metadataSchema>['candidates']): ScoredPicture[] {
  const [pts, score, saliency] = ['ptsMs', 'score', 'saliency'].map((name) => columns.indexOf(name))
  if (pts === undefined || score === undefined || pts < 0 || score < 0) throw refusal('its table has no scores')
  const number = (cell: unknown) => (typeof cell === 'number' ? cell : undefined)
  return rows
    .flatMap((row) => {
      const ptsMs = number(row[pts])
      const quality = number(row[score])
      if (ptsMs === undefined || quality === undefined) return []
      const value = (quality + (number(row[saliency ?? -1]) ?? quality)) / 2
      return [{ ptsMs, value: Math.min(1, Math.max(0, value)) }]
    })
    .sort((a, b) => a.ptsMs - b.ptsMs)
}

function parse(text: string): z.output<typeof metadataSchema> {
  try {
    const parsed = metadataSchema.safeParse(JSON.parse(text))
    if (parsed.success) return parsed.data
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw refusal('--scores takes the metadata.json of an extraction, and this is none')
}

function refusal(message: string): GrabberError {
  return new GrabberError('CFG_USAGE', message, {
    remedy: 'give the metadata.json that `grabber extract` wrote of this video',
  })
}
