/**
 * Local binary patterns: which of a pixel's eight neighbours are at least as bright. Pure; session host only.
 * Ojala, Pietikäinen, Mäenpää, PAMI 2002: here the plain 256 patterns of the 3×3 square, whose entropy is high for rich texture and
 * low for flat and for regular pictures.
 */
import type { LumaView } from '../../../core/frame.ts'
import { entropyBits } from './histogram.ts'

/** Entropy in bits over rows 1, 1 + `rowStep`, …; `histogram` is memory for 256. */
export function lbpEntropy(luma: LumaView, rowStep: number, histogram: Uint32Array): number {
  const { data, width, height, stride } = luma
  histogram.fill(0)
  for (let y = 1; y < height - 1; y += rowStep) {
    const row = y * stride
    let [above0, above1] = [data[row - stride]!, data[row - stride + 1]!]
    let [left, centre] = [data[row]!, data[row + 1]!]
    let [below0, below1] = [data[row + stride]!, data[row + stride + 1]!]
    for (let at = row + 2; at < row + width; at++) {
      const above2 = data[at - stride]!
      const right = data[at]!
      const below2 = data[at + stride]!
      // (c − 1 − n) is negative when n ≥ c; its sign bit is the pattern's bit.
      const c = centre - 1
      const pattern =
        ((c - above0) >>> 31) |
        (((c - above1) >>> 31) << 1) |
        (((c - above2) >>> 31) << 2) |
        (((c - right) >>> 31) << 3) |
        (((c - below2) >>> 31) << 4) |
        (((c - below1) >>> 31) << 5) |
        (((c - below0) >>> 31) << 6) |
        (((c - left) >>> 31) << 7)
      histogram[pattern] = histogram[pattern]! + 1
      above0 = above1
      above1 = above2
      left = centre
      centre = right
      below0 = below1
      below1 = below2
    }
  }
  return entropyBits(histogram)
}
