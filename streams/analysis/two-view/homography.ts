/**
 * The homography between two views of a plane, or of anything from one place. Pure.
 * Hartley and Zisserman, "Multiple View Geometry", 2nd edition, algorithms 4.1 and 4.2, and § 4.2.6 for Sampson's error.
 */
import { type Matches, normalise } from './matches.ts'
import { eigenSymmetric, elements, invert, type Mat3, multiply, nullSpace, unit } from './matrix.ts'

/** Points that fix it. */
export const HOMOGRAPHY_SAMPLE = 4

/** Through four matches, by their numbers; [] when three of them lie on a line. In normalised coordinates. */
export function homographyOfFour(matches: Matches, sample: Int32Array): Mat3[] {
  const a = new Float64Array(8 * 9)
  for (let k = 0; k < HOMOGRAPHY_SAMPLE; k++) writeEquations(a, 18 * k, matches, sample[k]!)
  const h = nullSpace(a, 8, 9)
  if (!h || !invert(h)) return []
  return [unit(h)]
}

/** Least squares over all matches (normalised direct linear transform); `undefined` below four, or where they fix none. */
export function fitHomography(matches: Matches): Mat3 | undefined {
  if (matches.count < HOMOGRAPHY_SAMPLE) return undefined
  const { matches: normal, to1, to2 } = normalise(matches)
  const sums = new Float64Array(81)
  const rows = new Float64Array(18)
  for (let i = 0; i < normal.count; i++) {
    rows.fill(0)
    writeEquations(rows, 0, normal, i)
    for (let equation = 0; equation < 2; equation++) addOuter(sums, rows, 9 * equation)
  }
  const { vectors } = eigenSymmetric(sums, 9)
  const h = Float64Array.from({ length: 9 }, (_, i) => vectors[9 * i + 8]!)
  const back = invert(to2)
  return back && invert(h) ? unit(multiply(multiply(back, h), to1)) : undefined
}

/** Adds v·vᵀ of the nine values at `at`. */
export function addOuter(sums: Float64Array, values: Float64Array, at: number): void {
  for (let i = 0; i < 9; i++) {
    const value = values[at + i]!
    if (value === 0) continue
    for (let j = 0; j < 9; j++) sums[9 * i + j] = sums[9 * i + j]! + value * values[at + j]!
  }
}

function writeEquations(a: Float64Array, at: number, { x1, y1, x2, y2 }: Matches, i: number): void {
  const [x, y, u, v] = [x1[i]!, y1[i]!, x2[i]!, y2[i]!]
  a.set([-x, -y, -1, 0, 0, 0, u * x, u * y, u], at)
  a.set([0, 0, 0, -x, -y, -1, v * x, v * y, v], at + 9)
}

/** Squared distance of each match to the nearest that the homography allows, to first order, px² (both pictures together). */
export function homographyErrors(matches: Matches, h: Mat3, out: Float64Array): void {
  const [h0, h1, h2, h3, h4, h5, h6, h7, h8] = elements(h)
  for (let i = 0; i < matches.count; i++) {
    const x = matches.x1[i]!
    const y = matches.y1[i]!
    const u = matches.x2[i]!
    const v = matches.y2[i]!
    const w = h6 * x + h7 * y + h8
    // Algebraic errors, and their derivatives by the four coordinates.
    const e1 = u * w - (h0 * x + h1 * y + h2)
    const e2 = v * w - (h3 * x + h4 * y + h5)
    const j1x = u * h6 - h0
    const j1y = u * h7 - h1
    const j2x = v * h6 - h3
    const j2y = v * h7 - h4
    const a = j1x * j1x + j1y * j1y + w * w
    const b = j1x * j2x + j1y * j2y
    const c = j2x * j2x + j2y * j2y + w * w
    const det = a * c - b * b
    out[i] = det > 0 ? (c * e1 * e1 - 2 * b * e1 * e2 + a * e2 * e2) / det : Number.POSITIVE_INFINITY
  }
}

/** d(x2, H·x1)² + d(x1, H⁻¹·x2)² of each match, px²; infinite where a point goes to infinity or H is singular. */
export function symmetricTransferErrors(matches: Matches, h: Mat3, out: Float64Array): void {
  const back = invert(h)
  for (let i = 0; i < matches.count; i++) {
    const there = transfer(h, matches.x1[i]!, matches.y1[i]!, matches.x2[i]!, matches.y2[i]!)
    out[i] = back
      ? there + transfer(back, matches.x2[i]!, matches.y2[i]!, matches.x1[i]!, matches.y1[i]!)
      : Number.POSITIVE_INFINITY
  }
}

function transfer(h: Mat3, x: number, y: number, u: number, v: number): number {
  const w = h[6]! * x + h[7]! * y + h[8]!
  if (w === 0) return Number.POSITIVE_INFINITY
  return ((h[0]! * x + h[1]! * y + h[2]!) / w - u) ** 2 + ((h[3]! * x + h[4]! * y + h[5]!) / w - v) ** 2
}
