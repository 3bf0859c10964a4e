/**
 * The steepest edges of a picture, however few they are. Pure; session host only. Variance and mean of gradients fall with the
 * share of the picture that is a blank wall; a high percentile falls when edges get soft.
 */
import type { LumaView } from '../../../core/frame.ts'
import { quantile } from './histogram.ts'

const PERCENTILE = 0.95
/** Of whole magnitudes of Sobel's gradient: √2 · 4 · 255. */
export const STEEPNESS_BINS = 1443

/** 95th percentile of Sobel's gradient magnitude over rows 1, 1 + `rowStep`, … `histogram` is memory for `STEEPNESS_BINS`. */
export function gradientP95(luma: LumaView, rowStep: number, histogram: Uint32Array): number {
  const { data, width, height, stride } = luma
  histogram.fill(0)
  for (let y = 1; y < height - 1; y += rowStep) {
    const row = y * stride
    let smooth0 = data[row - stride]! + 2 * data[row]! + data[row + stride]!
    let smooth1 = data[row - stride + 1]! + 2 * data[row + 1]! + data[row + stride + 1]!
    let slope0 = data[row + stride]! - data[row - stride]!
    let slope1 = data[row + stride + 1]! - data[row - stride + 1]!
    const last = row + width
    for (let at = row + 2; at < last; at++) {
      const p = data[at - stride]!
      const r = data[at + stride]!
      const smooth2 = p + 2 * data[at]! + r
      const slope2 = r - p
      const gx = smooth2 - smooth0
      const gy = slope0 + 2 * slope1 + slope2
      const magnitude = Math.sqrt(Math.imul(gx, gx) + Math.imul(gy, gy)) | 0
      histogram[magnitude] = histogram[magnitude]! + 1
      smooth0 = smooth1
      smooth1 = smooth2
      slope0 = slope1
      slope1 = slope2
    }
  }
  return quantile(histogram, PERCENTILE)
}
