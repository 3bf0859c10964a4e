/**
 * The camera's motion between two pictures, from points that were followed: an affine model by iteratively reweighted least squares,
 * and what it leaves unexplained. Pure.
 * As Odobez and Bouthemy (1995) with Tukey's weights, on points instead of pixels: a weight falls to 0 where a point moves otherwise.
 */
import type { Size } from '../../../core/geometry.ts'
import type { StepMotion } from '../../../core/shot.ts'
import type { Flow } from '../selection/lucas-kanade.ts'
import { median } from '../selection/median.ts'

/** An affine model has six unknowns; fewer points than this fix it on noise. */
const LEAST_POINTS = 12
const ROUNDS = 5
/** Tukey's constant: 95 % efficiency where errors are Gaussian. */
const TUKEY = 4.685
/** The median absolute deviation of a Gaussian is 0.6745 σ. */
const MAD_SIGMA = 1 / 0.6745
/** Error of a point that was followed, px (measured by the tracker's own tests); a perfect fit must not make weights of 0. */
const LEAST_SIGMA_PX = 0.25
/** A point this far from the model, px, and by this share of the motion, moves by itself: a model is never that good in depth. */
const APART = { px: 1.5, share: 0.2 }
/** Shorter motion has no direction, px. */
const LEAST_LENGTH_PX = 0.5
/** So near to the border a point may have left, px: half a side of the patch that is followed. */
const BORDER_PX = 12

export interface Points {
  x: Float64Array
  y: Float64Array
  count: number
}

/** x′ − x = a + b·(x − cx) + c·(y − cy), the same for y. */
type Axis = [number, number, number]

/** `null` where too few points were found again to tell. */
export function stepMotion(from: Points, to: Flow, { width, height }: Size): StepMotion | null {
  const { count } = from
  let found = 0
  for (let i = 0; i < count; i++) if (to.ok[i] === 1) found++
  if (found < LEAST_POINTS) return null
  const diagonal = Math.hypot(width, height)
  const [cx, cy] = [width / 2, height / 2]
  const { horizontal, vertical } = fit(from, to, cx, cy, found)
  const lengths = new Float64Array(found)
  const directions = new Array<number>(8).fill(0)
  let apart = 0
  let lost = 0
  for (let i = 0, n = 0; i < count; i++) {
    const [x, y] = [from.x[i]!, from.y[i]!]
    const mx = along(horizontal, x - cx, y - cy)
    const my = along(vertical, x - cx, y - cy)
    if (to.ok[i] === 0) {
      if (isInside(x + mx, width) && isInside(y + my, height)) lost++
      continue
    }
    const modelled = Math.hypot(mx, my)
    lengths[n++] = modelled
    const [px, py] = [to.x[i]! - x, to.y[i]! - y]
    if (Math.hypot(px - mx, py - my) > Math.max(APART.px, APART.share * modelled)) apart++
    const length = Math.hypot(px, py)
    if (length < LEAST_LENGTH_PX) continue
    const octant = Math.round(Math.atan2(py, px) / (Math.PI / 4)) & 7
    directions[octant]! += length / diagonal / found
  }
  return {
    dx: horizontal[0] / diagonal,
    dy: vertical[0] / diagonal,
    flow: median(lengths, found) / diagonal,
    directions,
    unexplained: (apart + lost) / (found + lost),
  }
}

function fit(from: Points, to: Flow, cx: number, cy: number, found: number): { horizontal: Axis; vertical: Axis } {
  const weights = new Float64Array(from.count)
  const errors = new Float64Array(from.count)
  const scratch = new Float64Array(found)
  const middle = (moved: Float64Array, at: Float64Array) => {
    let n = 0
    for (let i = 0; i < from.count; i++) if (to.ok[i] === 1) scratch[n++] = moved[i]! - at[i]!
    return median(scratch, n)
  }
  let horizontal: Axis = [middle(to.x, from.x), 0, 0]
  let vertical: Axis = [middle(to.y, from.y), 0, 0]
  for (let round = 0; round < ROUNDS; round++) {
    let n = 0
    for (let i = 0; i < from.count; i++) {
      if (to.ok[i] === 0) continue
      const x = from.x[i]! - cx
      const y = from.y[i]! - cy
      const ex = to.x[i]! - from.x[i]! - along(horizontal, x, y)
      const ey = to.y[i]! - from.y[i]! - along(vertical, x, y)
      errors[i] = Math.hypot(ex, ey)
      scratch[n++] = errors[i]!
    }
    const reach = TUKEY * Math.max(LEAST_SIGMA_PX, MAD_SIGMA * median(scratch, n))
    for (let i = 0; i < from.count; i++) {
      const share = errors[i]! / reach
      weights[i] = to.ok[i] === 0 || share >= 1 ? 0 : (1 - share * share) ** 2
    }
    const solved = solve(from, to, weights, cx, cy)
    if (!solved) break
    horizontal = solved.horizontal
    vertical = solved.vertical
  }
  return { horizontal, vertical }
}

/** Weighted least squares by the normal equations, which both axes share; `undefined` where the points lie on a line. */
function solve(
  from: Points,
  to: Flow,
  weights: Float64Array,
  cx: number,
  cy: number,
): { horizontal: Axis; vertical: Axis } | undefined {
  let [w, wx, wy, wxx, wxy, wyy] = [0, 0, 0, 0, 0, 0]
  const horizontal: Axis = [0, 0, 0]
  const vertical: Axis = [0, 0, 0]
  const add = (sums: Axis, weight: number, moved: number, x: number, y: number) => {
    sums[0] += weight * moved
    sums[1] += weight * moved * x
    sums[2] += weight * moved * y
  }
  for (let i = 0; i < from.count; i++) {
    const weight = weights[i]!
    if (weight === 0) continue
    const x = from.x[i]! - cx
    const y = from.y[i]! - cy
    w += weight
    wx += weight * x
    wy += weight * y
    wxx += weight * x * x
    wxy += weight * x * y
    wyy += weight * y * y
    add(horizontal, weight, to.x[i]! - from.x[i]!, x, y)
    add(vertical, weight, to.y[i]! - from.y[i]!, x, y)
  }
  const [c00, c01, c02] = [wxx * wyy - wxy * wxy, wxy * wy - wx * wyy, wx * wxy - wxx * wy]
  const determinant = w * c00 + wx * c01 + wy * c02
  // Of points that are spread it is far above: w³ times the fourth power of their spread.
  if (Math.abs(determinant) < 1e-6 * w ** 3) return undefined
  const [c11, c12, c22] = [w * wyy - wy * wy, wx * wy - w * wxy, w * wxx - wx * wx]
  const one = ([a, b, c]: Axis): Axis => [
    (c00 * a + c01 * b + c02 * c) / determinant,
    (c01 * a + c11 * b + c12 * c) / determinant,
    (c02 * a + c12 * b + c22 * c) / determinant,
  ]
  return { horizontal: one(horizontal), vertical: one(vertical) }
}

const along = ([a, b, c]: Axis, x: number, y: number) => a + b * x + c * y

const isInside = (at: number, size: number) => at >= BORDER_PX && at < size - BORDER_PX
