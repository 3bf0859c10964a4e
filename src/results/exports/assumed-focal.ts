/**
 * What is assumed of a camera of which nothing is known. Pure.
 */

/**
 * Focal length over the longer side, px. A video does not say; 1.2 is a field of view of 45°, COLMAP's default
 * (`ImageReader.default_focal_length_factor`) and AliceVision's (`defaultFieldOfView`), and within the reach of both bundle
 * adjustments for phones and action cameras.
 */
const FOCAL_FACTOR = 1.2

export const assumedFocalPx = (width: number, height: number) => FOCAL_FACTOR * Math.max(width, height)
