/**
 * The calibration report for a terminal. Pure text.
 */
import type { Interval } from './binomial-interval.ts'
import type { CalibrationReport, Distribution, MeasuredRate } from './calibration-report.ts'
import { rate } from './notes.ts'

/** What stands behind a distribution. */
export function describe({ of, from }: Pick<Distribution, 'of' | 'from'>): string {
  if (from === 'withinTracks') return 'faces of one track (optimistic)'
  if (from === 'tracksTogether') return 'tracks seen together'
  if (from === 'namedTracks') return of === 'genuine' ? 'named track, that person (optimistic)' : 'named track, others'
  return of === 'genuine' ? 'picture, same person' : 'picture, others'
}

/** The wider of the two intervals at each end: the honest one. */
export function widest({ clopperPearson, bootstrap }: MeasuredRate): Interval | null {
  if (!clopperPearson) return null
  return {
    low: Math.min(clopperPearson.low, bootstrap?.low ?? 1),
    high: Math.max(clopperPearson.high, bootstrap?.high ?? 0),
  }
}

export function rateCell(measured: MeasuredRate): string {
  const range = widest(measured)
  return measured.rate === null || !range
    ? 'unknown'
    : `${rate(measured.rate)} (${rate(range.low)}–${rate(range.high)})`
}

export function textReport(report: CalibrationReport, table: (rows: readonly (readonly string[])[]) => string): string {
  const { data, distributions, operatingPoints, eer, nearest, notes, wanted } = report
  const digits = (value: number) => value.toFixed(3)
  const parts = [
    `${report.model}: people ${data.people}, embeddings ${data.embeddings}, tracks ${data.tracks}\n`,
    table([
      ['SCORES', 'OF', 'COUNTED', 'NUMBER', 'MIN', '5 %', 'MEDIAN', '95 %', 'MAX'],
      ...distributions.map(({ of, from, counted, comparisons, ...at }) => [
        of,
        describe({ of, from }),
        counted ? 'yes' : 'no',
        String(comparisons),
        ...[at.min, at.q05, at.median, at.q95, at.max].map(digits),
      ]),
    ]),
    table([
      ['THRESHOLD', 'WHICH', 'FALSE MATCHES', 'FALSE NON-MATCHES', `STRANGER NAMED AMONG ${data.people}`, 'AMONG 1000'],
      ...operatingPoints.map(({ threshold, at, fmr, fnmr, fpir }) => [
        threshold.toFixed(4),
        at === 'wanted' ? `for ${rate(wanted.fmr)}` : at,
        rateCell(fmr),
        rateCell(fnmr),
        ...(fpir ?? []).map((each) => `${rate(each.rate)} (up to ${rate(each.high)})`),
      ]),
    ]),
  ]
  if (eer) parts.push(`Equal error rate ${rate(eer.rate)} at ${eer.threshold.toFixed(4)}\n`)
  if (nearest.length > 0) {
    const rows = nearest.map(({ a, b, similarity }) => [a, b, digits(similarity)])
    parts.push(table([['MOST ALIKE', '', 'SIMILARITY'], ...rows]))
  }
  parts.push(notes.map((note) => `- ${note}\n`).join(''))
  return parts.join('\n')
}
