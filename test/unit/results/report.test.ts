import { describe, expect, it } from 'vitest'
import type { FrameRecord, KeyframeRecord } from '../../../core/keyframe.ts'
import type { ExtractionResult } from '../../../src/results/extraction-result.ts'
import type { MetadataSummary } from '../../../src/results/metadata-schema.ts'
import { CandidateSeries, envelope, quantile, spacings } from '../../../src/results/report/candidate-series.ts'
import { reportPage } from '../../../src/results/report/report-page.ts'
import { spacingPlot } from '../../../src/results/report/spacing-plot.ts'
import { bytes, clock, grouped, percent } from '../../../src/results/report/words.ts'
import { evenly } from '../../../src/results/report/write-report.ts'
import { madeResult } from '../../support/made-result.ts'

function seriesOf(result: ExtractionResult): CandidateSeries {
  const series = new CandidateSeries()
  for (const record of result.records as Iterable<FrameRecord>) series.add(record)
  return series
}

const point = (ptsMs: number, score: number) => ({ ptsMs, score, sharpness: null, motion: null, scene: 0 })

describe('envelope', () => {
  it('keeps the lowest, the highest and the mean of each stretch, and leaves empty ones out', () => {
    const points = [point(0, 1), point(10, 3), point(49, 2), point(80, 5)]
    expect(envelope(points, ({ score }) => score, 100, 4)).toEqual([
      { atMs: 12.5, min: 1, max: 3, mean: 2 },
      { atMs: 37.5, min: 2, max: 2, mean: 2 },
      { atMs: 87.5, min: 5, max: 5, mean: 5 },
    ])
  })

  it('loses no extreme of many points, and leaves out what was not measured', () => {
    const points = Array.from({ length: 70_000 }, (_, index) => point(index, index === 31_337 ? 9 : 0.5))
    const found = envelope(points, ({ score }) => score, 70_000, 500)
    expect(found).toHaveLength(500)
    expect(Math.max(...found.map(({ max }) => max))).toBe(9)
    expect(envelope(points, ({ motion }) => motion, 70_000, 500)).toEqual([])
  })
})

describe('a series of candidates', () => {
  it('is in order of time whatever came first, and counts the reasons', () => {
    const result = madeResult({ candidates: 60 })
    const records = [...(result.records as Iterable<FrameRecord>)]
    const series = seriesOf({ ...result, records: records.toReversed() })
    expect(series.points).toEqual(seriesOf(result).points)
    const counted = [...series.reasons('taken'), ...series.reasons('passed')].reduce((sum, [, count]) => sum + count, 0)
    expect(counted).toBe(60)
    const counts = series.reasons('passed').map(([, count]) => count)
    expect(counts).toEqual(counts.toSorted((a, b) => b - a))
  })

  it('has motion in diagonals per second, and none for the first of a shot', () => {
    const result = madeResult({ candidates: 60, shots: 1, stepMs: 200 })
    const records = [...(result.records as Iterable<FrameRecord>)]
    const { points } = seriesOf(result)
    expect(points[0]!.motion).toBeNull()
    expect(points[7]!.motion).toBeCloseTo(records[7]!.look!.flow * 5, 12)
  })
})

it('spacing does not reach across shots; quantiles are by nearest rank', () => {
  const keyframes = [
    { ptsMs: 0, scene: 0 },
    { ptsMs: 400, scene: 0 },
    { ptsMs: 9000, scene: 1 },
    { ptsMs: 9100, scene: 1 },
  ]
  expect(spacings(keyframes)).toEqual([400, 100])
  expect(quantile([3, 1, 2], 0.5)).toBe(2)
  expect(quantile([], 0.5)).toBe(0)
})

it('a histogram of spacing holds every gap, the longest in its last bar', () => {
  const gaps = [...Array.from({ length: 99 }, (_, index) => 500 + index), 60_000]
  const titles = [...spacingPlot(gaps).matchAll(/title="([^"]*): (\d+) gaps?"/g)]
  expect(titles.reduce((sum, [, , count]) => sum + Number(count), 0)).toBe(100)
  expect(titles.at(-1)![1]).toMatch(/more$/)
  expect(spacingPlot([500])).toContain('Too few')
})

it('words: times, sizes, shares', () => {
  expect([clock(0), clock(59_999), clock(61_500, true), clock(3_723_000)]).toEqual([
    '0:00',
    '1:00',
    '1:01.5',
    '1:02:03',
  ])
  expect([clock(59_960, true)]).toEqual(['1:00.0'])
  expect([bytes(999), bytes(48_211_904), bytes(5_000_000_000)]).toEqual(['999 B', '48.2 MB', '5.00 GB'])
  expect([grouped(1234567), percent(0.041), percent(0.52)]).toEqual(['1\u202f234\u202f567', '4.1 %', '52 %'])
})

it('evenly: all of few, and of many as many as may be, spread from the first on', () => {
  expect(evenly([1, 2, 3], 5)).toEqual([1, 2, 3])
  expect(
    evenly(
      Array.from({ length: 100 }, (_, index) => index),
      4,
    ),
  ).toEqual([0, 25, 50, 75])
})

it('no text of the data gets into the page as markup', () => {
  const evil = '<img src=x onerror=alert(1)>'
  const made = madeResult({ candidates: 30 })
  const keyframes = made.keyframes.map(
    (keyframe): KeyframeRecord => ({ ...keyframe, evidence: evil, file: `${evil}"` }),
  )
  const result: ExtractionResult = {
    ...{ ...made, keyframes, version: evil },
    source: { ...made.source, file: evil, contentHash: evil, stream: { ...made.source.stream, codec: evil } },
    settings: { ...made.settings, fingerprint: evil },
    summary: { ...made.summary, damage: { count: 1, positions: [{ ptsMs: 0, what: evil }] } },
    run: { ...made.run, stages: { [evil]: { p50Ms: 1, p95Ms: 2, count: 3 } } },
  }
  const summary = { candidates: 30 } as MetadataSummary
  const page = reportPage({ result, summary, series: seriesOf(made), thumbnails: new Map(), exports: ['colmap'] })
  expect(page).not.toContain('<img src=x')
  expect(page.match(/&#60;img src=x/g)!.length).toBeGreaterThanOrEqual(5)
  expect(page).toMatch(/default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-[^']{44}'/)
})
