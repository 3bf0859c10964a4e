/**
 * Colourfulness (Hasler, Süsstrunk, SPIE 2003) from the chroma planes alone. Pure; session host only.
 * Its opponents R − G and (R + G) / 2 − B are differences, in which luma cancels: linear in Cb and Cr, so that their means
 * and variances come from those of the planes, without a single RGB pixel.
 */
import type { ChromaView } from '../../../core/frame.ts'
import type { Size } from '../../../core/geometry.ts'

/** Full scale over that of video range, 8 bits. */
const SCALE = 255 / 224
/** ITU-R BT.709: R = Y + 1.5748 Cr, B = Y + 1.8556 Cb, G from Y = 0.2126 R + 0.7152 G + 0.0722 B. */
const [RED, BLUE] = [1.5748, 1.8556]
const [GREEN_CR, GREEN_CB] = [(-0.2126 * RED) / 0.7152, (-0.0722 * BLUE) / 0.7152]
/** R − G and (R + G) / 2 − B by Cb and Cr. */
const RG = { cb: -GREEN_CB * SCALE, cr: (RED - GREEN_CR) * SCALE }
const YB = { cb: (GREEN_CB / 2 - BLUE) * SCALE, cr: ((RED + GREEN_CR) / 2) * SCALE }
/** Hasler and Süsstrunk's weight of the mean. */
const MEAN_WEIGHT = 0.3

/** About 0 (grey) to 110 (extremely colourful), by the authors' observers; `luma` is the size of the whole picture. */
export function colourfulness({ cb, cr, stride }: ChromaView, luma: Size): number {
  const [width, height] = [luma.width >> 1, luma.height >> 1]
  const n = width * height
  if (n === 0) return 0
  let [sumB, sumR, squaresB, squaresR, products] = [0, 0, 0, 0, 0]
  for (let y = 0; y < height; y++) {
    // Whole 32-bit numbers up to 131 000 px a row (128² × 131 071 < 2³¹).
    let [b, r, bb, rr, br] = [0, 0, 0, 0, 0]
    const end = y * stride + width
    for (let at = y * stride; at < end; at++) {
      const u = cb[at]! - 128
      const v = cr[at]! - 128
      b = (b + u) | 0
      r = (r + v) | 0
      bb = (bb + Math.imul(u, u)) | 0
      rr = (rr + Math.imul(v, v)) | 0
      br = (br + Math.imul(u, v)) | 0
    }
    sumB += b
    sumR += r
    squaresB += bb
    squaresR += rr
    products += br
  }
  const [meanB, meanR] = [sumB / n, sumR / n]
  const varianceB = squaresB / n - meanB * meanB
  const varianceR = squaresR / n - meanR * meanR
  const covariance = products / n - meanB * meanR
  const mean = (o: typeof RG) => o.cb * meanB + o.cr * meanR
  const variance = (o: typeof RG) => o.cb ** 2 * varianceB + o.cr ** 2 * varianceR + 2 * o.cb * o.cr * covariance
  return Math.sqrt(Math.max(0, variance(RG) + variance(YB))) + MEAN_WEIGHT * Math.hypot(mean(RG), mean(YB))
}
