/**
 * False match rate (FMR), false non-match rate (FNMR) and what follows from them, at comparison level; the words and the
 * decision rule (a score at the threshold matches) of ISO/IEC 19795-1. Pure.
 */

/** Share of impostors that match at `threshold`. `sorted`: scores, rising. */
export function falseMatches(sorted: readonly number[], threshold: number): number {
  return sorted.length - lowerBound(sorted, threshold)
}

/** Genuine comparisons that do not match at `threshold`. `sorted`: scores, rising. */
export function falseNonMatches(sorted: readonly number[], threshold: number): number {
  return lowerBound(sorted, threshold)
}

/** Number of scores below `threshold`. */
function lowerBound(sorted: readonly number[], threshold: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < threshold) low = middle + 1
    else high = middle
  }
  return low
}

/** Thresholds are told with four digits, so that they can be copied into a configuration. */
const DIGITS = 1e4

/** The next threshold of four digits that a score does not reach. */
export function thresholdAbove(score: number): number {
  const next = (Math.floor(score * DIGITS) + 1) / DIGITS
  return next > score ? next : next + 1 / DIGITS
}

/** Lowest threshold (of four digits) at which the measured FMR is at most `rate`, below 1. `sorted`: impostors, rising. */
export function thresholdFor(sorted: readonly number[], rate: number): number {
  const allowed = Math.floor(rate * sorted.length * (1 + 1e-12))
  return thresholdAbove(sorted[sorted.length - 1 - allowed]!)
}

export interface EqualErrorRate {
  rate: number
  threshold: number
}

/** Where FMR and FNMR meet: of all scores as thresholds the one at which they differ least, and their mean there. */
export function equalErrorRate(genuine: readonly number[], impostor: readonly number[]): EqualErrorRate {
  let best = { gap: Number.POSITIVE_INFINITY, rate: 0, threshold: 0 }
  for (const threshold of [...genuine, ...impostor].sort((a, b) => a - b)) {
    const fmr = falseMatches(impostor, threshold) / impostor.length
    const fnmr = falseNonMatches(genuine, threshold) / genuine.length
    const gap = Math.abs(fmr - fnmr)
    if (gap < best.gap) best = { gap, rate: (fmr + fnmr) / 2, threshold }
  }
  return { rate: best.rate, threshold: best.threshold }
}

export interface DetPoint {
  threshold: number
  fmr: number
  fnmr: number
}

const DET_STEPS_PER_UNIT = 200

/** Detection error trade-off: both rates at every threshold that is a multiple of 0.005 and parts the scores. */
export function detCurve(genuine: readonly number[], impostor: readonly number[]): DetPoint[] {
  const first = Math.floor(Math.min(genuine[0]!, impostor[0]!) * DET_STEPS_PER_UNIT)
  const last = Math.ceil(Math.max(genuine.at(-1)!, impostor.at(-1)!) * DET_STEPS_PER_UNIT)
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const threshold = (first + index) / DET_STEPS_PER_UNIT
    return {
      threshold,
      fmr: falseMatches(impostor, threshold) / impostor.length,
      fnmr: falseNonMatches(genuine, threshold) / genuine.length,
    }
  })
}

/**
 * False positive identification rate: that a stranger is taken for one of `people`, were the comparisons independent
 * (ISO/IEC 19795-1: 1 − (1 − FMR)^N).
 */
export function identificationRate(fmr: number, people: number): number {
  return -Math.expm1(people * Math.log1p(-fmr))
}
