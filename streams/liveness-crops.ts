/**
 * What the liveness models see of a face, cut out of the full-resolution frame. Session host only.
 * Scaled as the models were trained: cv2.resize with two taps, no area averaging. Averaging takes away what they look for:
 * real clips fell from 0.629 to 0.456 in the mean (eat), from 0.860 to 0.734 (sister).
 */
import type { RgbPicture } from '../core/frame.ts'
import type { Affine, Box } from '../core/geometry.ts'
import type { LivenessModel } from '../core/wire/session-spec.ts'
import { warpRgb } from '../models/align.ts'
import { livenessRegion } from './analysis/liveness.ts'
import { cutPatch } from './media/cutter.ts'
import type { NativeFrame } from './media/native-frame.ts'

/**
 * One crop for each model, in their order; `box` in px of `full`. `undefined` when the face cannot be judged: no models, or
 * too little of the picture around it. One cut serves all models.
 */
export function livenessCrops(full: NativeFrame, box: Box, models: readonly LivenessModel[]): RgbPicture[] | undefined {
  const regions = models.map(({ boxScale }) => livenessRegion(box, boxScale, full))
  if (regions.includes(undefined)) return undefined
  // The widest holds the others: all lie around one centre, or are shifted to the same border.
  const [widest] = regions.toSorted((a, b) => (b?.width ?? 0) - (a?.width ?? 0))
  const patch = widest && cutPatch(full, widest, Number.POSITIVE_INFINITY)
  return (
    patch &&
    models.map(({ cropPx }, index) => warpRgb(patch.picture, resizing(regions[index]!, patch.region, cropPx), cropPx))
  )
}

/** Pixel (x, y) of the crop as a place in the patch; centres of pixels as in cv2.resize. */
function resizing(region: Box, patch: Box, cropPx: number): Affine {
  const [sx, sy] = [region.width / cropPx, region.height / cropPx]
  return [sx, 0, region.x - patch.x + (sx - 1) / 2, 0, sy, region.y - patch.y + (sy - 1) / 2]
}
