/**
 * A turn of the camera on the spot: the three angles, and the focal length, that explain matches best. Pure.
 * A homography alone does not tell a turn from a walk along a wall; a turn's is K·R·K⁻¹, with four numbers in the place of eight
 * (Hartley, "Self-calibration from multiple views with a rotating camera", ECCV 1994).
 */
import type { Size } from '../../../core/geometry.ts'
import { type Pinhole, pinhole, turnHomography } from './camera.ts'
import { homographyErrors } from './homography.ts'
import type { Matches } from './matches.ts'
import { determinant, type Mat3, multiply, svd3, transpose } from './matrix.ts'

/** Picture widths: from an ultra-wide to a short telephoto. Longer, and a turn looks like a walk along a wall. */
const FOCAL_WIDTHS = { least: 0.5, most: 1.8 }
const GRID_STEPS = 6
const GOLDEN_STEPS = 6
const GOLDEN = (Math.sqrt(5) - 1) / 2
/** Fits with the far-off matches left out. */
const ROBUST_ROUNDS = 2

export interface Turn {
  rotation: Mat3
  camera: Pinhole
  /** Squared error of each match, px² (Sampson's). */
  errors: Float64Array
}

/** Matches further off than `thresholdPx` count as that. At least two matches. */
export function fitTurn(matches: Matches, size: Size, thresholdPx: number): Turn {
  const limit = thresholdPx ** 2
  const errors = new Float64Array(matches.count)
  const at = (logFocal: number) => {
    const camera = pinhole(size, Math.exp(logFocal))
    const rotation = robustRotation(matches, camera, limit, errors)
    let cost = 0
    for (const error of errors) cost += Math.min(error, limit)
    return { logFocal, camera, rotation, cost }
  }
  const longest = Math.max(size.width, size.height)
  const least = Math.log(FOCAL_WIDTHS.least * longest)
  const step = (Math.log(FOCAL_WIDTHS.most * longest) - least) / (GRID_STEPS - 1)
  const grid = Array.from({ length: GRID_STEPS }, (_, k) => at(least + k * step))
  let best = grid.reduce((a, b) => (b.cost < a.cost ? b : a))
  let [low, high] = [best.logFocal - step, best.logFocal + step]
  for (let k = 0; k < GOLDEN_STEPS; k++) {
    const [a, b] = [at(high - GOLDEN * (high - low)), at(low + GOLDEN * (high - low))]
    if (a.cost < b.cost) high = b.logFocal
    else low = a.logFocal
    const better = a.cost < b.cost ? a : b
    if (better.cost < best.cost) best = better
  }
  homographyErrors(matches, turnHomography(best.rotation, best.camera), errors)
  return { rotation: best.rotation, camera: best.camera, errors }
}

function robustRotation(matches: Matches, camera: Pinhole, limit: number, errors: Float64Array): Mat3 {
  errors.fill(0)
  let rotation = rotationBetween(matches, camera, errors, limit)
  for (let round = 0; round <= ROBUST_ROUNDS; round++) {
    homographyErrors(matches, turnHomography(rotation, camera), errors)
    if (round < ROBUST_ROUNDS) rotation = rotationBetween(matches, camera, errors, limit)
  }
  return rotation
}

/**
 * Least squares over rays, weighted down with the error (Geman-McClure): R with x2 = R·x1 (Kabsch, Acta Cryst. A 34, 1978).
 */
function rotationBetween(
  matches: Matches,
  { focalPx, centreX, centreY }: Pinhole,
  errors: Float64Array,
  limit: number,
): Mat3 {
  const m = new Float64Array(9)
  for (let i = 0; i < matches.count; i++) {
    const weight = (limit / (limit + errors[i]!)) ** 2
    const x = matches.x1[i]! - centreX
    const y = matches.y1[i]! - centreY
    const u = matches.x2[i]! - centreX
    const v = matches.y2[i]! - centreY
    const w = weight / Math.sqrt((x * x + y * y + focalPx * focalPx) * (u * u + v * v + focalPx * focalPx))
    m[0]! += w * u * x
    m[1]! += w * u * y
    m[2]! += w * u * focalPx
    m[3]! += w * v * x
    m[4]! += w * v * y
    m[5]! += w * v * focalPx
    m[6]! += w * focalPx * x
    m[7]! += w * focalPx * y
    m[8]! += w * focalPx * focalPx
  }
  const { u, v } = svd3(m)
  const vt = transpose(v)
  const sign = determinant(u) * determinant(vt) < 0 ? -1 : 1
  return multiply(multiply(u, Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, sign)), vt)
}
