/**
 * The calibration report: plain data, the same for text, JSON and HTML. Types only. Holds subject ids, never names or
 * embeddings.
 */
import type { Interval } from './binomial-interval.ts'
import type { Comparisons, NearPair } from './comparisons.ts'
import type { DetPoint, EqualErrorRate } from './error-rates.ts'

export interface Distribution {
  of: 'genuine' | 'impostor'
  from: keyof Comparisons['genuine'] | keyof Comparisons['impostor']
  /** Whether it goes into the rates; those that are too kind are only shown. */
  counted: boolean
  comparisons: number
  min: number
  q05: number
  median: number
  q95: number
  max: number
}

export interface MeasuredRate {
  errors: number
  comparisons: number
  /** errors ÷ comparisons; null without comparisons, as both intervals. */
  rate: number | null
  /** 95 %, were all comparisons independent. */
  clopperPearson: Interval | null
  /** 95 %, people drawn again; null for fewer than MIN_CLUSTERS. */
  bootstrap: Interval | null
}

export interface OperatingPoint {
  /** The threshold in the configuration, the one for the wanted rate, the lowest without any false match here. */
  at: 'configured' | 'wanted' | 'no false match'
  threshold: number
  fmr: MeasuredRate
  fnmr: MeasuredRate
  /** That a stranger is named, by number of people; `high` from the larger upper bound of the FMR. Null without FMR. */
  fpir: { people: number; rate: number; high: number }[] | null
}

export interface WantedRate {
  fmr: number
  /** Three divided by the comparisons (the rule of three): a lower rate cannot be measured. Null without any. */
  lowestMeasurable: number | null
  /** The same, were each pair of people one comparison. */
  lowestByPairs: number | null
  threshold: number | null
  /** 95 % of the threshold, people drawn again. */
  bootstrap: Interval | null
}

export interface HistogramBin {
  from: number
  to: number
  genuine: number
  impostor: number
}

export interface CalibrationReport {
  model: string
  data: {
    people: number
    embeddings: number
    peopleWithSeveral: number
    tracks: number
    omitted: number
    sources: boolean
  }
  distributions: Distribution[]
  histogram: HistogramBin[]
  wanted: WantedRate
  operatingPoints: OperatingPoint[]
  /** Null unless there are genuine and impostor comparisons. */
  eer: EqualErrorRate | null
  det: DetPoint[]
  nearest: NearPair[]
  /** What the figures do not tell, in sentences. */
  notes: string[]
  method: { replicates: number; seed: number; minimumClusters: number; confidence: number }
}
