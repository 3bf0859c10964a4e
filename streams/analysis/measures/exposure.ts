/**
 * Exposure of a picture: where its grey levels lie. Pure; session host only.
 */
import type { LumaView } from '../../../core/frame.ts'
import { entropyBits } from './histogram.ts'

export interface Exposure {
  meanLuma: number
  darkRatio: number
  brightRatio: number
  dynamicRange: number
  lumaEntropy: number
}

/** The limits of video range, ITU-R BT.709. */
const BLACK = 16
const WHITE = 235
const LEVELS = 256
/** What lies below the first and above the last percentile is noise, a lamp, a speck. */
const TAIL = 0.01

/** Rows 0, `rowStep`, …; `histogram` is memory for 256. */
export function measureExposure(luma: LumaView, rowStep: number, histogram: Uint32Array): Exposure {
  const { data, width, height, stride } = luma
  histogram.fill(0)
  for (let y = 0; y < height; y += rowStep) {
    const end = y * stride + width
    for (let at = y * stride; at < end; at++) {
      const level = data[at]!
      histogram[level] = histogram[level]! + 1
    }
  }
  const n = Math.max(1, width * Math.ceil(height / rowStep))
  let [sum, dark, bright, seen] = [0, 0, 0, 0]
  let [low, high] = [-1, 0]
  for (let level = 0; level < LEVELS; level++) {
    const count = histogram[level]!
    if (count === 0) continue
    sum += level * count
    if (level <= BLACK) dark += count
    if (level >= WHITE) bright += count
    if (low < 0 && seen + count >= TAIL * n) low = level
    if (seen < (1 - TAIL) * n) high = level
    seen += count
  }
  return {
    meanLuma: sum / n,
    darkRatio: dark / n,
    brightRatio: bright / n,
    dynamicRange: Math.max(0, high - low),
    lumaEntropy: entropyBits(histogram),
  }
}
