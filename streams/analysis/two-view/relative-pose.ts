/**
 * How the camera moved between two views, up to scale, and under which angles points are seen from both. Pure.
 * Hartley and Zisserman, "Multiple View Geometry", 2nd edition, §§ 9.6 and 12.
 */
import { calibration, type Pinhole } from './camera.ts'
import { type Matches, subset } from './matches.ts'
import { determinant, type Mat3, multiply, svd3, transpose } from './matrix.ts'

export interface RelativePose {
  /** A point p of the first camera's frame is at R·p + t in the second's; x to the right, y down, z ahead. */
  rotation: Mat3
  /** Length 1. */
  translation: readonly [number, number, number]
  /** Matches that lie before both cameras. */
  inFront: number
  /** Angle between the two rays of each such match, radians. */
  anglesRad: Float64Array
}

/** Kᵀ·F·K with its two singular values made equal. */
export function essentialFrom(fundamental: Mat3, camera: Pinhole): Mat3 {
  const k = calibration(camera)
  const { u, v } = svd3(multiply(multiply(transpose(k), fundamental), k))
  return multiply(multiply(u, Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 0)), transpose(v))
}

/**
 * The one of the four poses of F that has most matches before both cameras; `undefined` where none has any. `inliers`: those
 * of `matches` to look at.
 */
export function relativePose(
  fundamental: Mat3,
  matches: Matches,
  inliers: Uint8Array,
  camera: Pinhole,
): RelativePose | undefined {
  const { u, v } = svd3(essentialFrom(fundamental, camera))
  const good = subset(matches, inliers)
  const vt = transpose(v)
  let best: RelativePose | undefined
  for (const w of [QUARTER_TURN, transpose(QUARTER_TURN)]) {
    const turned = multiply(multiply(u, w), vt)
    const rotation = determinant(turned) < 0 ? turned.map((value) => -value) : turned
    for (const sign of [1, -1]) {
      const translation = [sign * u[2]!, sign * u[5]!, sign * u[8]!] as const
      const anglesRad = anglesInFront(good, rotation, translation, camera)
      if (anglesRad.length > (best?.inFront ?? 0))
        best = { rotation, translation, inFront: anglesRad.length, anglesRad }
    }
  }
  return best
}

const QUARTER_TURN: Mat3 = Float64Array.of(0, -1, 0, 1, 0, 0, 0, 0, 1)

/** Depths along the two rays by least squares between them (the midpoint's), and the angle where both are positive. */
function anglesInFront(
  matches: Matches,
  r: Mat3,
  [tx, ty, tz]: readonly [number, number, number],
  { focalPx, centreX, centreY }: Pinhole,
): Float64Array {
  const angles = new Float64Array(matches.count)
  let count = 0
  for (let i = 0; i < matches.count; i++) {
    const x = (matches.x1[i]! - centreX) / focalPx
    const y = (matches.y1[i]! - centreY) / focalPx
    // The first ray in the second camera's frame: a·depth1 + t meets b·depth2.
    const ax = r[0]! * x + r[1]! * y + r[2]!
    const ay = r[3]! * x + r[4]! * y + r[5]!
    const az = r[6]! * x + r[7]! * y + r[8]!
    const bx = (matches.x2[i]! - centreX) / focalPx
    const by = (matches.y2[i]! - centreY) / focalPx
    const aa = ax * ax + ay * ay + az * az
    const bb = bx * bx + by * by + 1
    const ab = ax * bx + ay * by + az
    const at = ax * tx + ay * ty + az * tz
    const bt = bx * tx + by * ty + tz
    const det = aa * bb - ab * ab
    if (det <= 0) continue
    const depth1 = (ab * bt - bb * at) / det
    const depth2 = (aa * bt - ab * at) / det
    if (depth1 > 0 && depth2 > 0) angles[count++] = Math.atan2(Math.sqrt(det), ab)
  }
  return angles.slice(0, count)
}
