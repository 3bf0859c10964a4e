/**
 * How many different things the patches of a picture are, by their descriptors. Pure; runs in the engine's inference thread.
 *
 * Two numbers make it up. The spread: unit descriptors of variance tr C = 1 − |mean|² are 0 when all are alike and 1 when they point
 * everywhere. The effective rank: over how many directions that variance is spread, as the participation ratio (Σλ)² / Σλ² of the
 * covariance's eigenvalues, which is exp of their Rényi entropy of order 2 (Roy and Vetterli, EUSIPCO 2007, take Shannon's). It needs no
 * eigenvalues: Σλ = tr C and Σλ² = ‖C‖², and both come from the n × n matrix of inner products, whatever the dimension.
 */

export interface DescriptorVariety {
  /** √(spread · ln rank / ln of the greatest rank there could be), 0–1. */
  richness: number
  /** 1 to the smaller of dimension and patches; 0 where nothing differs. */
  effectiveRank: number
  /** 0–1. */
  spread: number
  /** Mean of the unit descriptors, made a unit vector; zeros where they cancel. */
  mean: Float32Array
}

/** Below it descriptors differ by the last bits of their floats. */
const MIN_SPREAD = 1e-6

/**
 * `descriptors` is `[n, dimension]` by rows, of any length but zero, which a row of zeros says nothing by; `weights` (n, not negative) say how
 * much each counts. Both are overwritten.
 */
export function descriptorVariety(
  descriptors: Float32Array,
  dimension: number,
  weights: Float32Array,
): DescriptorVariety {
  const n = weights.length
  const row = (index: number) => descriptors.subarray(index * dimension, (index + 1) * dimension)
  let total = 0
  for (let i = 0; i < n; i++) {
    const length = Math.sqrt(dot(row(i), row(i)))
    if (length > 0) scale(row(i), 1 / length)
    else weights[i] = 0
    total += weights[i]!
  }
  const mean = new Float32Array(dimension)
  if (!(total > 0)) return { richness: 0, effectiveRank: 0, spread: 0, mean }
  for (let i = 0; i < n; i++) {
    const share = weights[i]! / total
    for (let k = 0; k < dimension; k++) mean[k] = mean[k]! + share * descriptors[i * dimension + k]!
  }
  for (let i = 0; i < n; i++) {
    const root = Math.sqrt(weights[i]! / total)
    for (let k = 0; k < dimension; k++)
      descriptors[i * dimension + k] = root * (descriptors[i * dimension + k]! - mean[k]!)
  }
  let trace = 0
  let squares = 0
  for (let i = 0; i < n; i++) {
    const own = dot(row(i), row(i))
    trace += own
    squares += own * own
    for (let j = 0; j < i; j++) squares += 2 * dot(row(i), row(j)) ** 2
  }
  const norm = Math.sqrt(dot(mean, mean))
  if (norm > 0) scale(mean, 1 / norm)
  const spread = Math.min(1, trace)
  if (spread < MIN_SPREAD) return { richness: 0, effectiveRank: 0, spread, mean }
  const effectiveRank = (trace * trace) / squares
  const greatest = Math.min(dimension, n - 1)
  const evenness = greatest > 1 ? Math.log(Math.max(1, effectiveRank)) / Math.log(greatest) : 0
  return { richness: Math.sqrt(spread * Math.min(1, evenness)), effectiveRank, spread, mean }
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!
  return sum
}

function scale(vector: Float32Array, by: number): void {
  for (let k = 0; k < vector.length; k++) vector[k] = vector[k]! * by
}
