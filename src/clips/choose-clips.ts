/**
 * Which stretches of a recording become clips. Pure, and the same for the same moments in any order.
 *
 * What happens close together is one clip as long as it fits into one; the weight of a clip is the chance that at least one of
 * its moments is worth it (1 − Π(1 − w)), so that many small things never outdo a great one by their number alone. The heaviest
 * are placed first, each grown to the least length, and moved aside where a heavier one already is.
 */
import { type ClipChoice, type ClipLimits, MAX_CLIPS, type Moment } from './moment.ts'

/** What is nearer than this to the next (after padding) belongs to it: a cut to the same scene a moment later tells nothing. ms */
const JOIN_MS = 3000
/** Moments named in a reason. */
const NAMED = 3

interface Stretch {
  fromMs: number
  toMs: number
  moments: Moment[]
}

/** At most `count` clips in order of time. None when there is no moment, or the recording is shorter than a clip. */
export function chooseClips(moments: readonly Moment[], limits: ClipLimits): ClipChoice[] {
  const { count, minMs, durationMs } = limits
  if (durationMs < minMs) return []
  const placed: Stretch[] = []
  for (const stretch of heaviestFirst(joined(moments, limits))) {
    const home = placed.find(({ fromMs, toMs }) => fromMs <= stretch.fromMs && stretch.toMs <= toMs)
    if (home) home.moments.push(...stretch.moments)
    else if (placed.length < Math.min(count, MAX_CLIPS)) place(stretch, placed, limits)
  }
  return placed.sort((a, b) => a.fromMs - b.fromMs).map(choiceOf)
}

/** Padded, in order of time, joined where near; none longer than a clip, none overlapping another. */
function joined(moments: readonly Moment[], limits: ClipLimits): Stretch[] {
  const { maxMs, durationMs } = limits
  const stretches: Stretch[] = []
  const inside = moments.filter(({ fromMs, toMs }) => toMs >= 0 && fromMs < durationMs)
  for (const moment of inside.map((moment) => padded(moment, limits)).sort(byTime)) {
    const last = stretches.at(-1)
    const toMs = Math.max(last?.toMs ?? 0, moment.toMs)
    if (last && moment.fromMs - last.toMs <= JOIN_MS && toMs - last.fromMs <= maxMs) {
      last.toMs = toMs
      last.moments.push(...moment.moments)
    } else {
      const fromMs = Math.max(moment.fromMs, last?.toMs ?? 0)
      if (moment.toMs > fromMs) stretches.push({ ...moment, fromMs })
    }
  }
  return stretches
}

/** A moment that is too long is shown around its best instant. */
function padded(moment: Moment, { padMs, maxMs, durationMs }: ClipLimits): Stretch {
  const fromMs = Math.max(0, moment.fromMs - padMs)
  const toMs = Math.min(durationMs, moment.toMs + padMs)
  const moments = [moment]
  if (toMs - fromMs <= maxMs) return { fromMs, toMs, moments }
  const start = clamp(moment.peakMs - maxMs / 2, fromMs, toMs - maxMs)
  return { fromMs: start, toMs: start + maxMs, moments }
}

/** Where there is room for it, the least length at least. */
function place(stretch: Stretch, placed: Stretch[], { minMs, maxMs, durationMs }: ClipLimits): void {
  const middleMs = (stretch.fromMs + stretch.toMs) / 2
  const over = placed.find(({ fromMs, toMs }) => fromMs <= middleMs && middleMs < toMs)
  const before = placed.filter(({ toMs }) => toMs <= middleMs)
  const after = placed.filter(({ fromMs }) => fromMs > middleMs)
  const lowMs = Math.max(0, ...before.map(({ toMs }) => toMs))
  const highMs = Math.min(durationMs, ...after.map(({ fromMs }) => fromMs))
  if (!over && highMs - lowMs >= minMs) {
    const fromMs = Math.max(lowMs, stretch.fromMs)
    const toMs = Math.min(highMs, stretch.toMs)
    const lengthMs = Math.max(minMs, toMs - fromMs)
    const start = clamp((fromMs + toMs - lengthMs) / 2, lowMs, highMs - lengthMs)
    placed.push({ ...stretch, fromMs: start, toMs: start + lengthMs })
    return
  }
  // No room for a clip of its own: a neighbour takes it in if it can without running into the next one.
  for (const near of placed) {
    const fromMs = Math.min(near.fromMs, stretch.fromMs)
    const toMs = Math.max(near.toMs, stretch.toMs)
    const free = placed.every((other) => other === near || other.toMs <= fromMs || other.fromMs >= toMs)
    if (!free || toMs - fromMs > maxMs) continue
    near.fromMs = fromMs
    near.toMs = toMs
    near.moments.push(...stretch.moments)
    return
  }
}

function choiceOf({ fromMs, toMs, moments }: Stretch): ClipChoice {
  const best = moments.toSorted((a, b) => b.weight - a.weight || byTime(a, b))
  const named = best.slice(0, NAMED).map(({ what }) => what)
  if (best.length > NAMED) named.push(`${best.length - NAMED} more`)
  return { fromMs: Math.round(fromMs), toMs: Math.round(toMs), weight: weightOf(moments), reason: named.join(', ') }
}

function weightOf(moments: readonly Moment[]): number {
  return 1 - moments.reduce((rest, { weight }) => rest * (1 - weight), 1)
}

function heaviestFirst(stretches: readonly Stretch[]): Stretch[] {
  return stretches.toSorted((a, b) => weightOf(b.moments) - weightOf(a.moments) || byTime(a, b))
}

const byTime = (a: { fromMs: number; toMs: number }, b: { fromMs: number; toMs: number }) =>
  a.fromMs - b.fromMs || a.toMs - b.toMs

const clamp = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high)
