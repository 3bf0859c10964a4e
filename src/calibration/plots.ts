/**
 * The plots of a calibration report as SVG text, coloured by the page's style classes. Pure.
 */

import { axisX, n, type PlotFrame, steps, svg, tickX, tickY } from '../page/plot.ts'
import type { CalibrationReport } from './calibration-report.ts'
import { rate } from './notes.ts'

const WIDTH = 720
const HEIGHT = 300
const MARGIN = { left: 70, right: 16, top: 26, bottom: 44 }
const FRAME: PlotFrame = { width: WIDTH, height: HEIGHT, margin: MARGIN }
/** Room for a threshold's label. */
const LABEL = 130
const inner = { width: WIDTH - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom }

/** Both distributions, each as the share of its own comparisons, and the thresholds. Empty text without scores. */
export function histogramPlot({ histogram, operatingPoints }: CalibrationReport): string {
  const total = (of: 'genuine' | 'impostor') => histogram.reduce((sum, bin) => sum + bin[of], 0)
  const [first, last] = [histogram[0], histogram.at(-1)]
  if (!first || !last) return ''
  const thresholds = operatingPoints.filter(({ at }) => at !== 'no false match')
  const from = Math.min(first.from, ...thresholds.map(({ threshold }) => threshold))
  const to = Math.max(last.to, ...thresholds.map(({ threshold }) => threshold))
  const shares = (of: 'genuine' | 'impostor') => histogram.map((bin) => bin[of] / Math.max(1, total(of)))
  const top = Math.max(...shares('genuine'), ...shares('impostor'))
  const x = (score: number) => MARGIN.left + ((score - from) / (to - from)) * inner.width
  const y = (share: number) => MARGIN.top + (1 - share / top) * inner.height
  const area = (of: 'genuine' | 'impostor') => {
    const steps = shares(of).map((share, i) => `L${n(x(histogram[i]!.from))} ${n(y(share))}H${n(x(histogram[i]!.to))}`)
    return `<path class="${of}" d="M${n(x(first.from))} ${n(y(0))}${steps.join('')}V${n(y(0))}Z"/>`
  }
  const ticks = steps(from, to, 0.1).map((score) => tickX(FRAME, x(score), score.toFixed(1)))
  const shareTicks = [0, top / 2, top].map((share) => tickY(FRAME, y(share), rate(share)))
  // The lower one's label to its left and the higher one's to its right, where no other line is.
  const middle = thresholds.reduce((sum, { threshold }) => sum + threshold, 0) / thresholds.length
  const lines = thresholds.map(({ threshold, at }) => {
    const left = threshold < middle || x(threshold) > WIDTH - LABEL
    const [anchor, offset] = left ? ['end', -5] : ['start', 5]
    const place = `x="${n(x(threshold) + offset)}" y="${MARGIN.top - 8}" text-anchor="${anchor}"`
    const text = `<text class="mark" ${place}>${at} ${threshold.toFixed(3)}</text>`
    return `<line class="threshold ${at}" x1="${n(x(threshold))}" x2="${n(x(threshold))}" y1="${MARGIN.top - 20}" y2="${n(y(0))}"/>${text}`
  })
  const body = [
    ...shareTicks,
    ...ticks,
    area('impostor'),
    area('genuine'),
    ...lines,
    axisX(FRAME, 'similarity (cosine)'),
  ]
  return svg('Similarity of impostor and genuine comparisons, each as a share of its own', FRAME, body)
}

const DET_TICKS = [0.0001, 0.001, 0.01, 0.05, 0.2, 0.5]
const MOST_SHOWN = 0.6

/** FNMR over FMR on normal-deviate axes (Martin et al., "The DET curve", Eurospeech 1997). Empty text without a curve. */
export function detPlot({ det, operatingPoints }: CalibrationReport): string {
  const [{ fmr, fnmr }] = operatingPoints as [CalibrationReport['operatingPoints'][number]]
  if (det.length === 0) return ''
  const floors = { fmr: 0.5 / fmr.comparisons, fnmr: 0.5 / fnmr.comparisons }
  const at = (share: number, floor: number) => {
    const [low, high] = [deviate(floor), deviate(MOST_SHOWN)]
    return (deviate(Math.min(MOST_SHOWN, Math.max(floor, share))) - low) / (high - low)
  }
  const x = (share: number) => MARGIN.left + at(share, floors.fmr) * inner.width
  const y = (share: number) => MARGIN.top + (1 - at(share, floors.fnmr)) * inner.height
  const points = det.map((point) => `${n(x(point.fmr))},${n(y(point.fnmr))}`)
  const equal = Math.max(floors.fmr, floors.fnmr)
  const diagonal = `<line class="grid dashed" x1="${n(x(equal))}" y1="${n(y(equal))}" x2="${n(x(MOST_SHOWN))}" y2="${n(y(MOST_SHOWN))}"/>`
  const marks = operatingPoints.map((point) => {
    const [cx, cy] = [n(x(point.fmr.rate ?? 0)), n(y(point.fnmr.rate ?? 0))]
    return `<circle class="dot ${point.at}" cx="${cx}" cy="${cy}" r="5"><title>${point.at}: ${point.threshold.toFixed(4)}</title></circle>`
  })
  const body = [
    ...DET_TICKS.filter((tick) => tick >= floors.fmr).map((tick) => tickX(FRAME, x(tick), rate(tick))),
    ...DET_TICKS.filter((tick) => tick >= floors.fnmr).map((tick) => tickY(FRAME, y(tick), rate(tick))),
    diagonal,
    `<polyline class="curve" points="${points.join(' ')}"/>`,
    // The first is the configured one, and lies on top.
    ...marks.toReversed(),
    axisX(FRAME, 'false match rate'),
    `<text class="axis" transform="translate(16 ${MARGIN.top + inner.height / 2}) rotate(-90)" text-anchor="middle">false non-match rate</text>`,
  ]
  return svg('Detection error trade-off: false non-match rate over false match rate', FRAME, body)
}

/** Quantile of the standard normal distribution, good to 0.0005: Abramowitz and Stegun 26.2.23. For axes only. */
function deviate(p: number): number {
  if (p > 0.5) return -deviate(1 - p)
  const t = Math.sqrt(-2 * Math.log(p))
  return (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t
}
