/**
 * Makes the calibration report of people and tracks. Pure.
 */
import { clopperPearson } from './binomial-interval.ts'
import { bootstrapRate, bootstrapThreshold, MIN_CLUSTERS, quantile, REPLICATES, SEED } from './bootstrap.ts'
import { boundedData, type CalibrationData } from './calibration-data.ts'
import type {
  CalibrationReport,
  Distribution,
  HistogramBin,
  MeasuredRate,
  OperatingPoint,
  WantedRate,
} from './calibration-report.ts'
import { type Comparisons, compareAll, nearestPairs, pooled, type Scores } from './comparisons.ts'
import {
  detCurve,
  equalErrorRate,
  falseMatches,
  falseNonMatches,
  identificationRate,
  thresholdAbove,
  thresholdFor,
} from './error-rates.ts'
import { notesOf } from './notes.ts'

export interface CalibrationSettings {
  model: string
  /** The match threshold in the configuration. */
  threshold: number
  wantedFmr: number
}

const NEAREST_PAIRS = 10
/** A gallery to compare with, of any office. */
const LARGE_GALLERY = 1000
const BIN = 0.02

export function calibrate(all: CalibrationData, settings: CalibrationSettings): CalibrationReport {
  const data = boundedData(all)
  const comparisons = compareAll(data)
  const { genuine, impostor, clusters } = comparisons
  const rated = {
    clusters,
    people: all.people.length,
    genuine: genuine.pictures,
    impostor: pooled(impostor.pictures, impostor.namedTracks, impostor.tracksTogether),
  }
  const [low, high] = [rising(rated.genuine), rising(rated.impostor)]
  const wanted = wantedRate(rated, high, settings.wantedFmr)
  const both = low.length > 0 && high.length > 0
  const report: CalibrationReport = {
    model: settings.model,
    data: {
      people: data.people.length,
      embeddings: data.people.reduce((sum, { embeddings }) => sum + embeddings.length, 0),
      peopleWithSeveral: new Set(rated.genuine.a).size,
      tracks: data.tracks.length,
      omitted: all.people.length - data.people.length + all.tracks.length - data.tracks.length,
      sources: data.people.some(({ sources }) => sources !== undefined),
    },
    distributions: distributionsOf(comparisons),
    histogram: histogramOf(low, high),
    wanted,
    operatingPoints: [
      operatingPoint('configured', settings.threshold, rated),
      ...(wanted.threshold === null ? [] : [operatingPoint('wanted', wanted.threshold, rated)]),
      ...(high.length === 0 ? [] : [operatingPoint('no false match', thresholdAbove(high.at(-1)!), rated)]),
    ],
    eer: both ? equalErrorRate(low, high) : null,
    det: both ? detCurve(low, high) : [],
    nearest: nearestPairs(data, NEAREST_PAIRS),
    notes: [],
    method: { replicates: REPLICATES, seed: SEED, minimumClusters: MIN_CLUSTERS, confidence: 0.95 },
  }
  return { ...report, notes: notesOf(report) }
}

interface Rated {
  clusters: number
  people: number
  genuine: Scores
  impostor: Scores
}

function wantedRate({ impostor, clusters }: Rated, sorted: readonly number[], fmr: number): WantedRate {
  const pairs = new Set(impostor.a.map((a, i) => Math.min(a, impostor.b[i]!) * clusters + Math.max(a, impostor.b[i]!)))
  const lowestMeasurable = sorted.length === 0 ? null : 3 / sorted.length
  const measurable = lowestMeasurable !== null && fmr >= lowestMeasurable
  return {
    fmr,
    lowestMeasurable,
    lowestByPairs: pairs.size === 0 ? null : 3 / pairs.size,
    threshold: measurable ? thresholdFor(sorted, fmr) : null,
    bootstrap: measurable ? bootstrapThreshold(impostor, clusters, fmr) : null,
  }
}

function operatingPoint(at: OperatingPoint['at'], threshold: number, rated: Rated): OperatingPoint {
  const { genuine, impostor, clusters, people } = rated
  const fmr = measured(impostor, clusters, falseMatches(rising(impostor), threshold), (score) => score >= threshold)
  const fnmr = measured(genuine, clusters, falseNonMatches(rising(genuine), threshold), (score) => score < threshold)
  return { at, threshold, fmr, fnmr, fpir: fpirOf(fmr, people) }
}

function fpirOf({ rate, clopperPearson, bootstrap }: MeasuredRate, people: number): OperatingPoint['fpir'] {
  if (rate === null) return null
  const high = Math.max(clopperPearson!.high, bootstrap?.high ?? 0)
  return [people, LARGE_GALLERY].map((count) => ({
    people: count,
    rate: identificationRate(rate, count),
    high: identificationRate(high, count),
  }))
}

function measured(scores: Scores, clusters: number, errors: number, isError: (score: number) => boolean): MeasuredRate {
  const comparisons = scores.values.length
  if (comparisons === 0) return { errors, comparisons, rate: null, clopperPearson: null, bootstrap: null }
  return {
    errors,
    comparisons,
    rate: errors / comparisons,
    clopperPearson: clopperPearson(errors, comparisons),
    bootstrap: bootstrapRate(scores, clusters, isError),
  }
}

function distributionsOf({ genuine, impostor }: Comparisons): Distribution[] {
  return [
    distribution('genuine', 'pictures', true, genuine.pictures),
    distribution('genuine', 'namedTracks', false, genuine.namedTracks),
    distribution('genuine', 'withinTracks', false, genuine.withinTracks),
    distribution('impostor', 'pictures', true, impostor.pictures),
    distribution('impostor', 'namedTracks', true, impostor.namedTracks),
    distribution('impostor', 'tracksTogether', true, impostor.tracksTogether),
  ].filter(({ comparisons }) => comparisons > 0)
}

function distribution(
  of: Distribution['of'],
  from: Distribution['from'],
  counted: boolean,
  scores: Scores,
): Distribution {
  const sorted = rising(scores)
  const [min, q05, median, q95, max] = [0, 0.05, 0.5, 0.95, 1].map((p) => quantile(sorted, p)) as [
    number,
    number,
    number,
    number,
    number,
  ]
  return { of, from, counted, comparisons: sorted.length, min, q05, median, q95, max }
}

/** From the lowest score to the highest, in whole bins. */
function histogramOf(genuine: readonly number[], impostor: readonly number[]): HistogramBin[] {
  const edges = [genuine, impostor].filter(({ length }) => length > 0).flatMap((each) => [each[0]!, each.at(-1)!])
  if (edges.length === 0) return []
  const first = Math.floor(Math.min(...edges) / BIN)
  const last = Math.floor(Math.max(...edges) / BIN)
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const [from, to] = [
      Math.round((first + index) * BIN * 100) / 100,
      Math.round((first + index + 1) * BIN * 100) / 100,
    ]
    const within = (sorted: readonly number[]) => falseNonMatches(sorted, to) - falseNonMatches(sorted, from)
    return { from, to, genuine: within(genuine), impostor: within(impostor) }
  })
}

function rising({ values }: Scores): number[] {
  return values.toSorted((x, y) => x - y)
}
