/**
 * A picture of half the size. Pure; session host only.
 */
import type { LumaView } from '../../../core/frame.ts'

/** Means of 2×2 pixels, rounded, into `half`, whose sides are half of the picture's, rounded down. */
export function halve({ data, stride }: LumaView, half: LumaView): void {
  for (let y = 0; y < half.height; y++) {
    let at = 2 * y * stride
    const out = y * half.stride
    for (let x = 0; x < half.width; x++, at += 2) {
      half.data[out + x] = (data[at]! + data[at + 1]! + data[at + stride]! + data[at + stride + 1]! + 2) >> 2
    }
  }
}
