/**
 * How a reconstruction lies in the true world: the similarity that takes its camera centres to the true ones, and what is left.
 * Pure; must not be led astray by a few centres that are plainly wrong.
 */

import { eigenSymmetric, elements } from '../../streams/analysis/two-view/matrix.ts'

export type Point = readonly [number, number, number]

export interface Similarity {
  scale: number
  /** Row by row, proper. */
  rotation: readonly number[]
  translation: Point
}

/** Trials of three pairs each: at 40 % outliers, one of 200 is clean but for a chance of 1e-21. */
const TRIALS = 200
/** Of a deviation from the median error, that a pair still counts as good by: 2.5 deviations of a normal distribution. */
const GOOD_BY = 2.5 * 1.4826
const REFINEMENTS = 5

/**
 * Least squares after Umeyama 1991 (IEEE PAMI 13(4)) with the rotation from Horn's quaternion (1987, JOSA A 4(4)), which is the
 * same one and cannot be a mirror. `undefined` with fewer than three pairs, or when all of `from` lie on one spot.
 */
export function leastSquares(from: readonly Point[], to: readonly Point[]): Similarity | undefined {
  const n = from.length
  if (n < 3) return undefined
  const [meanFrom, meanTo] = [mean(from), mean(to)]
  const s = new Float64Array(9)
  let variance = 0
  for (let i = 0; i < n; i++) {
    const [a, b] = [minus(from[i]!, meanFrom), minus(to[i]!, meanTo)]
    variance += dot(a, a)
    for (let row = 0; row < 3; row++)
      for (let column = 0; column < 3; column++) s[3 * row + column]! += a[row]! * b[column]!
  }
  if (!(variance > 0)) return undefined
  const rotation = rotationOf(largestEigenvector(hornMatrix(s)))
  let agreement = 0
  for (let i = 0; i < n; i++) agreement += dot(turn(rotation, minus(from[i]!, meanFrom)), minus(to[i]!, meanTo))
  const scale = agreement / variance
  const turned = turn(rotation, meanFrom)
  const translation = meanTo.map((value, axis) => value - scale * turned[axis]!) as unknown as Point
  return { scale, rotation, translation }
}

/** Best by the median error over trials of three pairs, then least squares over the pairs that agree. The same input, the same result. */
export function robustSimilarity(from: readonly Point[], to: readonly Point[]): Similarity | undefined {
  let [best, bestError] = [leastSquares(from, to), Number.POSITIVE_INFINITY]
  if (best === undefined) return undefined
  bestError = median(errorsOf(best, from, to))
  const next = sequence(from.length)
  for (let trial = 0; trial < TRIALS; trial++) {
    const picks = [next(), next(), next()]
    const found = leastSquares(
      picks.map((i) => from[i]!),
      picks.map((i) => to[i]!),
    )
    if (found === undefined) continue
    const error = median(errorsOf(found, from, to))
    if (error < bestError) [best, bestError] = [found, error]
  }
  for (let round = 0; round < REFINEMENTS; round++) {
    const errors = errorsOf(best, from, to)
    const limit = GOOD_BY * median(errors)
    const good = from.map((_, i) => i).filter((i) => errors[i]! <= limit)
    best =
      leastSquares(
        good.map((i) => from[i]!),
        good.map((i) => to[i]!),
      ) ?? best
  }
  return best
}

/** Distances after the similarity, in the unit of `to`. */
export function errorsOf(similarity: Similarity, from: readonly Point[], to: readonly Point[]): number[] {
  const { scale, rotation, translation } = similarity
  return from.map((point, i) => {
    const turned = turn(rotation, point)
    return Math.hypot(...to[i]!.map((value, axis) => value - scale * turned[axis]! - translation[axis]!))
  })
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Indices below `n` by Lehmer's generator (Park and Miller 1988): trials that are the same every time. */
function sequence(n: number): () => number {
  let state = 42
  return () => {
    state = (state * 48271) % 2147483647
    return state % n
  }
}

/** Of the correlations S, `[4, 4]`: its eigenvector of the largest eigenvalue is the quaternion (w, x, y, z). */
function hornMatrix(s: Float64Array): Float64Array {
  const [xx, xy, xz, yx, yy, yz, zx, zy, zz] = elements(s)
  return Float64Array.of(
    ...[xx + yy + zz, yz - zy, zx - xz, xy - yx],
    ...[yz - zy, xx - yy - zz, xy + yx, zx + xz],
    ...[zx - xz, xy + yx, -xx + yy - zz, yz + zy],
    ...[xy - yx, zx + xz, yz + zy, -xx - yy + zz],
  )
}

function largestEigenvector(a: Float64Array): number[] {
  const { vectors } = eigenSymmetric(a, 4)
  return [0, 1, 2, 3].map((row) => vectors[4 * row]!)
}

/** Row by row; the quaternion is normalised. */
export function rotationOf(quaternion: readonly number[]): number[] {
  const length = Math.hypot(...quaternion)
  const [w, x, y, z] = quaternion.map((value) => value / length) as [number, number, number, number]
  return [
    [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
    [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
    [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
  ].flat()
}

/** Camera centre −Rᵀt of a pose that takes world to camera. */
export function centreOf(rotation: readonly number[], translation: readonly number[]): Point {
  const axis = (column: number) =>
    -[0, 1, 2].reduce((sum, row) => sum + rotation[3 * row + column]! * translation[row]!, 0)
  return [axis(0), axis(1), axis(2)]
}

function turn(r: readonly number[], [x, y, z]: Point): Point {
  const row = (i: number) => r[i]! * x + r[i + 1]! * y + r[i + 2]! * z
  return [row(0), row(3), row(6)]
}

function mean(points: readonly Point[]): Point {
  const axis = (i: 0 | 1 | 2) => points.reduce((sum, point) => sum + point[i], 0) / points.length
  return [axis(0), axis(1), axis(2)]
}

const minus = (a: Point, b: Point): Point => [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
const dot = (a: Point, b: Point) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
