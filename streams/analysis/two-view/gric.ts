/**
 * Which model a set of matches speaks for: the geometric robust information criterion. Pure.
 * Torr, "Geometric motion segmentation and model selection", Phil. Trans. R. Soc. A 356 (1998); weights as in Torr, Fitzgibbon
 * and Zisserman, "The problem of degeneracy in structure and motion recovery from uncalibrated image sequences", IJCV 32 (1999).
 */

export interface ModelShape {
  /** Dimensions of what the model allows, of the four coordinates of a match. */
  dimensions: number
  /** Numbers that fix the model. */
  parameters: number
}

export const modelShapes = {
  homography: { dimensions: 2, parameters: 8 },
  fundamental: { dimensions: 3, parameters: 7 },
  /** A turn on the spot of a camera with an unknown focal length. */
  turn: { dimensions: 2, parameters: 4 },
} as const satisfies Record<string, ModelShape>

/** Coordinates of a match. */
const DATA_DIMENSIONS = 4
/** Residuals count up to twice the degrees of freedom that the model takes away. */
const OUTLIER_WEIGHT = 2

/** Lower is better. `errors`: squared residuals, px² (Sampson's); `noisePx`: deviation of a coordinate. */
export function gric(errors: Float64Array, { dimensions, parameters }: ModelShape, noisePx: number): number {
  const count = errors.length
  const most = OUTLIER_WEIGHT * (DATA_DIMENSIONS - dimensions)
  let sum = 0
  for (const error of errors) sum += Math.min(error / noisePx ** 2, most)
  return sum + Math.log(DATA_DIMENSIONS) * dimensions * count + Math.log(DATA_DIMENSIONS * count) * parameters
}
