/**
 * How far the whole picture has moved, looked for everywhere on its smallest copy: where flow begins to look after a fast pan,
 * which no gradient descent would find, and whether the two pictures have anything to do with each other. Pure.
 * Zero-mean normalised cross-correlation over all shifts: light cancels out.
 */
import type { LumaView } from '../../../core/frame.ts'

/** How far along each side, share: what has moved further shares too little with the picture before. */
const REACH_RATIO = 0.45
/** A shift must be this much better than none; else a flat or repetitive picture would be sent anywhere. */
const LEAST_GAIN = 0.02

export interface CoarseShift {
  /** From the first to the second, px of the level. */
  dx: number
  dy: number
  /** Correlation there, −1 to 1. Of unrelated pictures below about 0.5, since some 50 shifts of little overlap compete. */
  correlation: number
}

/** Both of one size. */
export function coarseShift(before: LumaView, now: LumaView): CoarseShift {
  const reachX = Math.floor(before.width * REACH_RATIO)
  const reachY = Math.floor(before.height * REACH_RATIO)
  const still = correlate(before, now, 0, 0)
  let best = { dx: 0, dy: 0, correlation: still + LEAST_GAIN }
  for (let dy = -reachY; dy <= reachY; dy++) {
    for (let dx = -reachX; dx <= reachX; dx++) {
      const correlation = correlate(before, now, dx, dy)
      if (correlation > best.correlation) best = { dx, dy, correlation }
    }
  }
  if (best.dx === 0 && best.dy === 0) return { dx: 0, dy: 0, correlation: still }
  return {
    ...best,
    dx:
      best.dx +
      peak(
        correlate(before, now, best.dx - 1, best.dy),
        best.correlation,
        correlate(before, now, best.dx + 1, best.dy),
      ),
    dy:
      best.dy +
      peak(
        correlate(before, now, best.dx, best.dy - 1),
        best.correlation,
        correlate(before, now, best.dx, best.dy + 1),
      ),
  }
}

/** Where the parabola through three values has its top, −½ to ½. */
function peak(left: number, middle: number, right: number): number {
  const bend = left - 2 * middle + right
  return bend >= 0 ? 0 : Math.max(-0.5, Math.min(0.5, (0.5 * (left - right)) / bend))
}

/** Over what the two have in common when the first lies shifted by (dx, dy) on the second; −1 where nothing is left. */
function correlate(before: LumaView, now: LumaView, dx: number, dy: number): number {
  const { data: a, width, height, stride } = before
  const b = now.data
  const left = Math.max(0, -dx)
  const right = Math.min(width, width - dx)
  const top = Math.max(0, -dy)
  const bottom = Math.min(height, height - dy)
  const count = (right - left) * (bottom - top)
  if (right <= left || bottom <= top) return -1
  let sumA = 0
  let sumB = 0
  let sumAA = 0
  let sumBB = 0
  let sumAB = 0
  for (let y = top; y < bottom; y++) {
    const shift = (y + dy) * now.stride + dx
    const row = y * stride
    for (let x = left; x < right; x++) {
      const p = a[row + x]!
      const q = b[shift + x]!
      sumA += p
      sumB += q
      sumAA += p * p
      sumBB += q * q
      sumAB += p * q
    }
  }
  const varianceA = sumAA - (sumA * sumA) / count
  const varianceB = sumBB - (sumB * sumB) / count
  if (varianceA < count || varianceB < count) return 0
  return (sumAB - (sumA * sumB) / count) / Math.sqrt(varianceA * varianceB)
}
