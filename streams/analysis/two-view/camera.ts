/**
 * A pinhole camera of which nothing is known but the picture's size. Pure.
 */
import type { Size } from '../../../core/geometry.ts'
import { type Mat3, multiply } from './matrix.ts'

/** Square pixels, centre in the middle of the picture. */
export interface Pinhole {
  focalPx: number
  centreX: number
  centreY: number
}

/** Half-way between a phone's main camera (0.75 widths) and a standard zoom; what COLMAP assumes, too (1.2 × the longer side). */
export const ASSUMED_FOCAL_WIDTHS = 1.2

export function pinhole({ width, height }: Size, focalPx = ASSUMED_FOCAL_WIDTHS * Math.max(width, height)): Pinhole {
  return { focalPx, centreX: (width - 1) / 2, centreY: (height - 1) / 2 }
}

/** K. */
export function calibration({ focalPx: f, centreX, centreY }: Pinhole): Mat3 {
  return Float64Array.of(f, 0, centreX, 0, f, centreY, 0, 0, 1)
}

/** K⁻¹. */
export function inverseCalibration({ focalPx: f, centreX, centreY }: Pinhole): Mat3 {
  return Float64Array.of(1 / f, 0, -centreX / f, 0, 1 / f, -centreY / f, 0, 0, 1)
}

/** K·R·K⁻¹: what a turn by `rotation` does to the picture. */
export function turnHomography(rotation: Mat3, camera: Pinhole): Mat3 {
  return multiply(multiply(calibration(camera), rotation), inverseCalibration(camera))
}
