/**
 * Noise of a picture. Pure; session host only.
 * Immerkær's mask [1 −2 1; −2 4 −2; 1 −2 1] is blind to slopes, to curves of second order and to straight edges along the axes;
 * white noise of σ comes out with 6σ. Its mean (Immerkær, CVIU 1996) counts every corner and texture as noise; its median does
 * not while less than half of the picture is texture (Donoho, Johnstone, Biometrika 1994).
 */
import type { LumaView } from '../../../core/frame.ts'
import { quantile } from './histogram.ts'

/** Of absolute responses: 8 · 255 and 0. */
export const NOISE_BINS = 2041
/** Root of the sum of the mask's squares. */
const GAIN = 6
/** Median of the absolute value of a standard normal number. */
const NORMAL_MEDIAN = 0.6745

/** σ in grey levels over rows 1, 1 + `rowStep`, … `histogram` is memory for `NOISE_BINS`. */
export function noiseSigma(luma: LumaView, rowStep: number, histogram: Uint32Array): number {
  const { data, width, height, stride } = luma
  histogram.fill(0)
  for (let y = 1; y < height - 1; y += rowStep) {
    const row = y * stride
    let bend0 = data[row - stride]! - 2 * data[row]! + data[row + stride]!
    let bend1 = data[row - stride + 1]! - 2 * data[row + 1]! + data[row + stride + 1]!
    const last = row + width
    for (let at = row + 2; at < last; at++) {
      const bend2 = data[at - stride]! - 2 * data[at]! + data[at + stride]!
      const response = Math.abs(bend0 - 2 * bend1 + bend2)
      histogram[response] = histogram[response]! + 1
      bend0 = bend1
      bend1 = bend2
    }
  }
  // Responses are whole numbers: each stands for half a level to either side.
  return quantile(histogram, 0.5, -0.5) / (GAIN * NORMAL_MEDIAN)
}
