/**
 * The fundamental matrix between two views of a scene with depth: x2ᵀ·F·x1 = 0. Pure.
 * Hartley and Zisserman, "Multiple View Geometry", 2nd edition, algorithms 11.1 (eight points and more), § 11.1.2 (seven) and
 * § 11.4.3 (Sampson's error).
 */
import { addOuter } from './homography.ts'
import { type Matches, normalise } from './matches.ts'
import {
  determinant,
  eigenSymmetric,
  elements,
  type Mat3,
  multiply,
  nullSpace,
  svd3,
  transpose,
  unit,
} from './matrix.ts'

/** Points that fix it, up to three solutions. */
export const FUNDAMENTAL_SAMPLE = 7
const LEAST_SQUARES_SAMPLE = 8

/** Through seven matches, by their numbers: one or three; [] where they fix none. In normalised coordinates. */
export function fundamentalsOfSeven(matches: Matches, sample: Int32Array): Mat3[] {
  const a = new Float64Array(7 * 9)
  for (let k = 0; k < FUNDAMENTAL_SAMPLE; k++) writeEquation(a, 9 * k, matches, sample[k]!)
  const space = nullSpace(a, 7, 9)
  if (!space) return []
  const first = unit(space.slice(0, 9))
  const second = unit(space.slice(9, 18))
  const blend = (share: number) => Float64Array.from(first, (value, i) => share * value + (1 - share) * second[i]!)
  return singularShares(blend).map((share) => unit(blend(share)))
}

/** Where det(blend(s)), a cubic in s, is zero. Its coefficients are read off at four places. */
function singularShares(blend: (share: number) => Mat3): number[] {
  const at = (share: number) => determinant(blend(share))
  const [m1, d, p1, p2] = [at(-1), at(0), at(1), at(2)]
  const b = (p1 + m1) / 2 - d
  const sum = (p1 - m1) / 2
  const a = (p2 - d - 4 * b - 2 * sum) / 6
  return realRoots(a, b, sum - a, d)
}

/** Of a·s³ + b·s² + c·s + d. */
function realRoots(a: number, b: number, c: number, d: number): number[] {
  const size = Math.max(Math.abs(b), Math.abs(c), Math.abs(d))
  if (Math.abs(a) <= 1e-12 * size) return quadraticRoots(b, c, d)
  const [p, q, r] = [b / a, c / a, d / a]
  const shift = p / 3
  const m = (q - p * shift) / 3
  const n = (r + shift * (2 * shift * shift - q)) / 2
  const discriminant = n * n + m * m * m
  if (discriminant > 0) {
    const root = Math.sqrt(discriminant)
    return [Math.cbrt(root - n) - Math.cbrt(root + n) - shift]
  }
  if (m === 0) return [-shift]
  const angle = Math.acos(Math.max(-1, Math.min(1, -n / Math.sqrt(-m * m * m)))) / 3
  const length = 2 * Math.sqrt(-m)
  return [0, 2, 4].map((k) => length * Math.cos(angle + (k * Math.PI) / 3) - shift)
}

function quadraticRoots(a: number, b: number, c: number): number[] {
  if (a === 0) return b === 0 ? [] : [-c / b]
  const discriminant = b * b - 4 * a * c
  if (discriminant < 0) return []
  return [(-b + Math.sqrt(discriminant)) / (2 * a), (-b - Math.sqrt(discriminant)) / (2 * a)]
}

/** Least squares over all matches, of rank 2; `undefined` below eight. */
export function fitFundamental(matches: Matches): Mat3 | undefined {
  if (matches.count < LEAST_SQUARES_SAMPLE) return undefined
  const { matches: normal, to1, to2 } = normalise(matches)
  const sums = new Float64Array(81)
  const row = new Float64Array(9)
  for (let i = 0; i < normal.count; i++) {
    writeEquation(row, 0, normal, i)
    addOuter(sums, row, 0)
  }
  const { vectors } = eigenSymmetric(sums, 9)
  const f = ofRankTwo(Float64Array.from({ length: 9 }, (_, i) => vectors[9 * i + 8]!))
  return unit(multiply(multiply(transpose(to2), f), to1))
}

/** The nearest matrix of rank 2. */
function ofRankTwo(f: Mat3): Mat3 {
  const { u, s, v } = svd3(f)
  return multiply(multiply(u, Float64Array.of(s[0]!, 0, 0, 0, s[1]!, 0, 0, 0, 0)), transpose(v))
}

function writeEquation(a: Float64Array, at: number, { x1, y1, x2, y2 }: Matches, i: number): void {
  const [x, y, u, v] = [x1[i]!, y1[i]!, x2[i]!, y2[i]!]
  a.set([u * x, u * y, u, v * x, v * y, v, x, y, 1], at)
}

/** Sampson's: squared distance of each match to the nearest that F allows, to first order, px² (both pictures together). */
export function sampsonErrors(matches: Matches, f: Mat3, out: Float64Array): void {
  const [f0, f1, f2, f3, f4, f5, f6, f7, f8] = elements(f)
  for (let i = 0; i < matches.count; i++) {
    const x = matches.x1[i]!
    const y = matches.y1[i]!
    const u = matches.x2[i]!
    const v = matches.y2[i]!
    const a = f0 * x + f1 * y + f2
    const b = f3 * x + f4 * y + f5
    const c = f6 * x + f7 * y + f8
    const d = f0 * u + f3 * v + f6
    const e = f1 * u + f4 * v + f7
    const slope = a * a + b * b + d * d + e * e
    out[i] = slope > 0 ? (u * a + v * b + c) ** 2 / slope : Number.POSITIVE_INFINITY
  }
}
