/**
 * A picture at halved sizes: what optical flow looks at. Pure; owns a copy of the luma, because a view is valid only
 * while its frame's lease is held. Must never keep more than one picture.
 */
import type { LumaView } from '../../../core/frame.ts'
import type { Size } from '../../../core/geometry.ts'

/** The coarsest level is about this wide: the whole picture in a look. Below 10 rows nothing can be compared. */
const COARSEST_WIDTH_PX = 40
const LEAST_HEIGHT_PX = 10

/** Level 0 is the picture itself. Rows without padding. */
export interface Pyramid {
  levels: readonly LumaView[]
}

/** Buffers for pictures of `size`; written by `fillPyramid`. */
export function createPyramid({ width, height }: Size): Pyramid {
  const levels: LumaView[] = []
  for (let w = width, h = height; ; w >>= 1, h >>= 1) {
    levels.push({ data: new Uint8Array(w * h), width: w, height: h, stride: w })
    if (w >> 1 < COARSEST_WIDTH_PX || h >> 1 < LEAST_HEIGHT_PX) return { levels }
  }
}

/** `luma` must have the pyramid's size. */
export function fillPyramid(pyramid: Pyramid, luma: LumaView): void {
  const [base] = pyramid.levels
  for (let y = 0; y < luma.height; y++) {
    base!.data.set(luma.data.subarray(y * luma.stride, y * luma.stride + luma.width), y * luma.width)
  }
  for (let level = 1; level < pyramid.levels.length; level++) halve(pyramid.levels[level - 1]!, pyramid.levels[level]!)
}

/**
 * Means of 2×2 pixels, as in SVO (Forster et al., ICRA 2014). The centre of pixel x of a level is at 2x + ½ of the finer
 * one; `toLevel` and `fromLevel` in lucas-kanade.ts know.
 */
function halve(fine: LumaView, coarse: LumaView): void {
  const { data: from, stride } = fine
  const { data: to, width, height } = coarse
  for (let y = 0; y < height; y++) {
    let at = 2 * y * stride
    let out = y * width
    for (let x = 0; x < width; x++, at += 2, out++) {
      to[out] = (from[at]! + from[at + 1]! + from[at + stride]! + from[at + stride + 1]! + 2) >> 2
    }
  }
}
