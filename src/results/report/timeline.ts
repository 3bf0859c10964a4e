/**
 * The timeline of a report: score, sharpness and motion over media time, shots shaded, keyframes marked. Pure.
 * The plots are stretched to whatever width there is and their lines are not (`non-scaling-stroke`); words stand outside of them as
 * HTML, so that they are as large on a phone as anywhere.
 */
import type { KeyframeRecord } from '../../../core/keyframe.ts'
import type { ShotReport } from '../../../core/shot.ts'
import { n, steps } from '../../page/plot.ts'
import { type CandidateSeries, envelope, quantile, type SeriesPoint } from './candidate-series.ts'
import { clock } from './words.ts'

/** Of the view box; a plot is as wide as its column. */
const WIDTH = 1000
const HEIGHT = 100
/** More than a screen has columns says nothing. */
const BUCKETS = 500
/** Motion above its 99th percentile is cut off: one jolt must not flatten everything else. */
const MOTION_TOP = 0.99

export interface TimelineInput {
  series: CandidateSeries
  keyframes: readonly KeyframeRecord[]
  shots: readonly Pick<ShotReport, 'fromMs' | 'toMs'>[]
  endMs: number
}

interface Lane {
  name: string
  meaning: string
  className: string
  value: (point: SeriesPoint) => number | null
  top: number
  marked: boolean
}

export function timeline(input: TimelineInput): string {
  const { series, endMs } = input
  const motion = series.points.flatMap((point) => (point.motion === null ? [] : [point.motion]))
  const fastest = quantile(motion, MOTION_TOP) || 1
  const lanes: Lane[] = [
    {
      ...{ name: 'Score', meaning: 'quality of each candidate, 0–1', className: 'score', top: 1 },
      ...{ value: ({ score }) => score, marked: true },
    },
    {
      ...{ name: 'Sharpness', meaning: 'part of the score, 0–1', className: 'sharpness', top: 1 },
      ...{ value: ({ sharpness }) => sharpness, marked: false },
    },
    {
      ...{
        name: 'Motion',
        meaning: `picture diagonals per second, 0–${fastest.toPrecision(2)}`,
        className: 'motion',
        top: fastest,
      },
      ...{ value: ({ motion }) => motion, marked: false },
    },
  ]
  return `<div class="timeline" id="timeline" data-end="${endMs}">
${strip(input)}
${lanes.map((lane) => laneFigure(lane, input)).join('\n')}
<div class="lane axis"><div class="ticks">${ticks(endMs)}</div></div>
</div>`
}

/** Where the keyframes are: one line each, as dense as they lie. */
function strip({ keyframes, endMs, shots }: TimelineInput): string {
  const marks = keyframes.map(({ ptsMs }) => `M${x(ptsMs, endMs)} 0V${HEIGHT}`).join('')
  const title = `${keyframes.length} keyframes over ${clock(endMs)}`
  return `<div class="lane strip"><h3>Keyframes</h3>${plot(title, `${shading(shots, endMs)}<path class="mark" d="${marks}"/>`)}</div>`
}

function laneFigure(lane: Lane, { series, keyframes, shots, endMs }: TimelineInput): string {
  const y = (value: number) => n(HEIGHT * (1 - Math.min(1, Math.max(0, value / lane.top))))
  const points = series.points
  const buckets = envelope(points, lane.value, endMs, BUCKETS)
  const head = `<h3>${lane.name} <small>${lane.meaning}</small></h3>`
  if (buckets.length === 0) return `<div class="lane ${lane.className}">${head}<p class="soft">Not measured.</p></div>`
  const upper = buckets.map(({ atMs, max }) => `${x(atMs, endMs)} ${y(max)}`)
  const lower = buckets.toReversed().map(({ atMs, min }) => `${x(atMs, endMs)} ${y(min)}`)
  const mean = buckets.map(({ atMs, mean }) => `${x(atMs, endMs)} ${y(mean)}`)
  // A line of no length with round ends is a dot that stays round when the plot is stretched.
  const dots = lane.marked
    ? keyframes.map(({ ptsMs, score }) => `M${x(ptsMs, endMs)} ${y(score.score)}h0`).join('')
    : ''
  const body = [
    shading(shots, endMs),
    `<path class="grid" d="M0 ${HEIGHT / 2}H${WIDTH}"/>`,
    `<path class="range" d="M${upper.join('L')}L${lower.join('L')}Z"/>`,
    `<path class="mean" d="M${mean.join('L')}"/>`,
    dots === '' ? '' : `<path class="dots" d="${dots}"/>`,
  ]
  const title = `${lane.name} over time, ${lane.meaning}${lane.marked ? '; keyframes are dots' : ''}`
  return `<div class="lane ${lane.className}">${head}${plot(title, body.join(''))}</div>`
}

function shading(shots: TimelineInput['shots'], endMs: number): string {
  return shots
    .flatMap(({ fromMs }, index) => {
      if (index % 2 === 0) return []
      const until = shots[index + 1]?.fromMs ?? endMs
      return [
        `<rect class="shade" x="${x(fromMs, endMs)}" y="0" width="${n(((until - fromMs) / endMs) * WIDTH)}" height="${HEIGHT}"/>`,
      ]
    })
    .join('')
}

function plot(title: string, body: string): string {
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${title}"><title>${title}</title>${body}</svg>`
}

const x = (ms: number, endMs: number) => n((WIDTH * ms) / endMs)

/** Round times, s: the first that gives no more than eight of them. */
const TICK_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400]

function ticks(endMs: number): string {
  const step = TICK_STEPS.find((seconds) => endMs / 1000 / seconds <= 8) ?? TICK_STEPS.at(-1)!
  return steps(0, endMs / 1000, step)
    .filter((seconds) => seconds * 1000 < 0.97 * endMs)
    .map((seconds) => `<span style="left:${n((100_000 * seconds) / endMs)}%">${clock(seconds * 1000)}</span>`)
    .join('')
}
