/**
 * How far the whole picture has moved, looked for everywhere on its smallest copy: where flow begins to look after a fast pan,
 * which no gradient descent would find, and whether the two pictures have anything to do with each other. Pure but for memory that
 * is written and read within one call.
 * Zero-mean normalised cross-correlation over all shifts: light cancels out.
 */
import type { LumaView } from '../../../core/frame.ts'
import { CoarseProducts } from './coarse-products.ts'

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

const pair = new CoarseProducts()

/** Both of one size. */
export function coarseShift(before: LumaView, now: LumaView): CoarseShift {
  const reachX = Math.floor(before.width * REACH_RATIO)
  const reachY = Math.floor(before.height * REACH_RATIO)
  // One more for the neighbours of the best.
  pair.compare(before, now, reachX + 1)
  const at = (dx: number, dy: number) => correlate(before, dx, dy)
  const still = at(0, 0)
  let best = { dx: 0, dy: 0, correlation: still + LEAST_GAIN }
  for (let dy = -reachY; dy <= reachY; dy++) {
    for (let dx = -reachX; dx <= reachX; dx++) {
      const correlation = at(dx, dy)
      if (correlation > best.correlation) best = { dx, dy, correlation }
    }
  }
  const { dx, dy, correlation } = best
  if (dx === 0 && dy === 0) return { dx: 0, dy: 0, correlation: still }
  return {
    correlation,
    dx: dx + peak(at(dx - 1, dy), correlation, at(dx + 1, dy)),
    dy: dy + peak(at(dx, dy - 1), correlation, at(dx, dy + 1)),
  }
}

/** Where the parabola through three values has its top, −½ to ½. */
function peak(left: number, middle: number, right: number): number {
  const bend = left - 2 * middle + right
  return bend >= 0 ? 0 : Math.max(-0.5, Math.min(0.5, (0.5 * (left - right)) / bend))
}

/** Over what the two have in common when the first lies shifted by (dx, dy) on the second; −1 where nothing is left. */
function correlate({ width, height }: LumaView, dx: number, dy: number): number {
  const left = Math.max(0, -dx)
  const right = Math.min(width, width - dx)
  const top = Math.max(0, -dy)
  const bottom = Math.min(height, height - dy)
  const count = (right - left) * (bottom - top)
  if (right <= left || bottom <= top) return -1
  const sumA = pair.a.plain(left, top, right, bottom)
  const sumB = pair.b.plain(left + dx, top + dy, right + dx, bottom + dy)
  const varianceA = pair.a.squares(left, top, right, bottom) - (sumA * sumA) / count
  const varianceB = pair.b.squares(left + dx, top + dy, right + dx, bottom + dy) - (sumB * sumB) / count
  if (varianceA < count || varianceB < count) return 0
  return (pair.products(top, bottom, dx, dy) - (sumA * sumB) / count) / Math.sqrt(varianceA * varianceB)
}
