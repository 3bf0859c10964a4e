/**
 * The same points seen in two pictures, and the frame in which they are computed with. Pure.
 */
import type { Mat3 } from './matrix.ts'

/** The first `count` of each column, px: (x1, y1) in the first picture is (x2, y2) in the second. */
export interface Matches {
  count: number
  x1: Float64Array
  y1: Float64Array
  x2: Float64Array
  y2: Float64Array
}

export interface NormalisedMatches {
  matches: Matches
  /** To the normalised frame: first and second picture's similarity, as a matrix. */
  to1: Mat3
  to2: Mat3
  /** Normalised units per px, the same for both: distances keep their meaning. */
  scale: number
}

/**
 * Centred, with a mean distance of √2 (Hartley, "In defense of the eight-point algorithm", PAMI 1997), but with one scale for
 * both pictures.
 */
export function normalise(matches: Matches): NormalisedMatches {
  const { count } = matches
  const [cx1, cy1, cx2, cy2] = [matches.x1, matches.y1, matches.x2, matches.y2].map((column) =>
    mean(column, count),
  ) as [number, number, number, number]
  let distance = 0
  for (let i = 0; i < count; i++) {
    distance +=
      Math.hypot(matches.x1[i]! - cx1, matches.y1[i]! - cy1) + Math.hypot(matches.x2[i]! - cx2, matches.y2[i]! - cy2)
  }
  const scale = distance > 0 ? (Math.SQRT2 * 2 * count) / distance : 1
  const move = (column: Float64Array, centre: number) =>
    Float64Array.from(column.subarray(0, count), (v) => scale * (v - centre))
  return {
    matches: {
      count,
      x1: move(matches.x1, cx1),
      y1: move(matches.y1, cy1),
      x2: move(matches.x2, cx2),
      y2: move(matches.y2, cy2),
    },
    to1: Float64Array.of(scale, 0, -scale * cx1, 0, scale, -scale * cy1, 0, 0, 1),
    to2: Float64Array.of(scale, 0, -scale * cx2, 0, scale, -scale * cy2, 0, 0, 1),
    scale,
  }
}

/** Those that `keep` marks with 1. */
export function subset(matches: Matches, keep: Uint8Array): Matches {
  const pick = (column: Float64Array) => column.subarray(0, matches.count).filter((_, i) => keep[i] === 1)
  const x1 = pick(matches.x1)
  return { count: x1.length, x1, y1: pick(matches.y1), x2: pick(matches.x2), y2: pick(matches.y2) }
}

function mean(column: Float64Array, count: number): number {
  let sum = 0
  for (let i = 0; i < count; i++) sum += column[i]!
  return count === 0 ? 0 : sum / count
}
