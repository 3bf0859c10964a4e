/**
 * How well an aligned face crop was captured: blur and exposure of what the embedder sees. Pure; session host.
 * Measured inside the face only, so that hair and background do not count. Names as in ISO/IEC 29794-5 (OFIQ).
 */
import type { RgbPicture } from '../../core/frame.ts'
import type { CropQuality } from '../../core/observation.ts'

/**
 * Crété et al., "The blur effect: perception and estimation with a new no-reference perceptual blur metric", SPIE 2007:
 * how little a box blur of 9 px takes away from the differences between neighbours. Measured against the variance of the
 * Laplacian, Tenengrad (both over the luma's variance) and their ratio on 98 photographs and blurred copies: the best
 * at telling a blur that costs the embedding its likeness (docs/decisions.md).
 */
const BLUR_TAPS = 9
/** OFIQ's OverExposurePrevention counts from the same. */
const OVEREXPOSED_LUMA = 247
const HIGH_QUANTILE = 0.95
/** Brow to chin and temple to temple, as fractions of the crop's side: the embedder's template has its eyes at 0.46. */
const FACE = { left: 0.2, right: 0.8, top: 0.3, bottom: 0.94 }

/** `crop` is square and aligned to the embedder's template. */
export function cropQuality(crop: RgbPicture): CropQuality {
  const face = faceLuma(crop)
  const sorted = Float64Array.from(face.data).sort()
  return {
    blur: Math.max(blurAlong(face, 'x'), blurAlong(face, 'y')),
    highLuma: sorted[Math.floor(HIGH_QUANTILE * (sorted.length - 1))]!,
    overexposedRatio: face.data.filter((value) => value >= OVEREXPOSED_LUMA).length / face.data.length,
  }
}

interface Luma {
  width: number
  height: number
  data: Float64Array
}

/** BT.601 luma of the face's part of the crop. */
function faceLuma({ width: side, data }: RgbPicture): Luma {
  const [left, right, top, bottom] = [FACE.left, FACE.right, FACE.top, FACE.bottom].map((f) => Math.round(f * side))
  const width = right! - left!
  const height = bottom! - top!
  const plane = side * side
  const luma = new Float64Array(width * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (top! + y) * side + left! + x
      luma[y * width + x] = 0.299 * data[at]! + 0.587 * data[at + plane]! + 0.114 * data[at + 2 * plane]!
    }
  }
  return { width, height, data: luma }
}

/** Of one direction. A plain surface has no differences to lose, and counts as blurred. */
function blurAlong({ width, height, data }: Luma, axis: 'x' | 'y'): number {
  const [lines, length, lineStep, step] = axis === 'x' ? [height, width, width, 1] : [width, height, 1, width]
  const half = BLUR_TAPS >> 1
  let total = 0
  let lost = 0
  for (let line = 0; line < lines; line++) {
    const at = (index: number) => data[line * lineStep + index * step]!
    for (let index = half; index + half + 1 < length; index++) {
      // Neighbouring box means differ by what enters and what leaves the box.
      const blurred = Math.abs(at(index + half + 1) - at(index - half)) / BLUR_TAPS
      const sharp = Math.abs(at(index + 1) - at(index))
      total += sharp
      lost += Math.max(0, sharp - blurred)
    }
  }
  return total > 0 ? 1 - lost / total : 1
}
