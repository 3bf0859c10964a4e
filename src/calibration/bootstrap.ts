/**
 * How sure a measured rate is when its comparisons are not independent: people are drawn again, not comparisons, since
 * those of one person resemble each other (the subsets bootstrap of Bolle, Ratha and Pankanti, CVIU 2004, over people). A
 * comparison of two people weighs as often as both were drawn. Pure; the seed is fixed, so the same data gives the same.
 */
import type { Interval } from './binomial-interval.ts'
import type { Scores } from './comparisons.ts'
import { thresholdAbove } from './error-rates.ts'

export const REPLICATES = 1000
export const SEED = 1
/** Fewer people have too few ways of being drawn. */
export const MIN_CLUSTERS = 5

/** 95 % percentile interval of the share of comparisons for which `counts` is true; null for too few people. */
export function bootstrapRate(scores: Scores, clusters: number, counts: (score: number) => boolean): Interval | null {
  const cells = cellsOf(scores, clusters, counts)
  return interval(scores, clusters, (weights) => {
    let [total, counted] = [0, 0]
    for (const { a, b, comparisons, hits } of cells) {
      const weight = pairWeight(weights, a, b)
      total += weight * comparisons
      counted += weight * hits
    }
    return total > 0 ? counted / total : undefined
  })
}

/** 95 % percentile interval of the threshold that `thresholdFor` finds; null for too few people. */
export function bootstrapThreshold(scores: Scores, clusters: number, rate: number): Interval | null {
  const cells = cellsOf(scores, clusters, () => false)
  const order = scores.values.map((_, index) => index).sort((x, y) => scores.values[y]! - scores.values[x]!)
  return interval(scores, clusters, (weights) => {
    const total = cells.reduce((sum, { a, b, comparisons }) => sum + pairWeight(weights, a, b) * comparisons, 0)
    let above = 0
    for (const index of order) {
      above += pairWeight(weights, scores.a[index]!, scores.b[index]!)
      if (above > rate * total * (1 + 1e-12)) return thresholdAbove(scores.values[index]!)
    }
    return undefined
  })
}

interface Cell {
  a: number
  b: number
  comparisons: number
  hits: number
}

/** Comparisons of the same two people together. */
function cellsOf({ values, a, b }: Scores, clusters: number, counts: (score: number) => boolean): Cell[] {
  const cells = new Map<number, Cell>()
  for (const [index, value] of values.entries()) {
    const key = a[index]! * clusters + b[index]!
    const cell = cells.get(key) ?? { a: a[index]!, b: b[index]!, comparisons: 0, hits: 0 }
    cells.set(key, cell)
    cell.comparisons++
    if (counts(value)) cell.hits++
  }
  return [...cells.values()]
}

function pairWeight(weights: Int32Array, a: number, b: number): number {
  return a === b ? weights[a]! : weights[a]! * weights[b]!
}

/** `statistic` is undefined for a draw that holds no comparison; such draws are left out. */
function interval(
  scores: Scores,
  clusters: number,
  statistic: (weights: Int32Array) => number | undefined,
): Interval | null {
  if (new Set([...scores.a, ...scores.b]).size < MIN_CLUSTERS) return null
  const random = mulberry32(SEED)
  const values: number[] = []
  for (let replicate = 0; replicate < REPLICATES; replicate++) {
    const weights = new Int32Array(clusters)
    for (let draw = 0; draw < clusters; draw++) weights[Math.floor(random() * clusters)]!++
    const value = statistic(weights)
    if (value !== undefined) values.push(value)
  }
  values.sort((x, y) => x - y)
  return { low: quantile(values, 0.025), high: quantile(values, 0.975) }
}

/** Linear between order statistics (type 7 of Hyndman and Fan, 1996). `sorted` is not empty. */
export function quantile(sorted: readonly number[], p: number): number {
  const at = p * (sorted.length - 1)
  const below = Math.floor(at)
  const low = sorted[below]!
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!
  return low + (at - below) * (high - low)
}

/** Tommy Ettinger's mulberry32: 32 bits of state, public domain; numbers in [0, 1). */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
