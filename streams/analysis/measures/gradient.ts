/**
 * Sobel's derivatives of a whole picture, which corners and edges share. Pure; session host only.
 */
import type { LumaView } from '../../../core/frame.ts'
import type { Size } from '../../../core/geometry.ts'

/** Rows of `width`, without padding; 0 on the border. Not divided: a step of one grey level a pixel is 8. */
export interface Gradient extends Size {
  gx: Int16Array
  gy: Int16Array
}

export function emptyGradient({ width, height }: Size): Gradient {
  return { width, height, gx: new Int16Array(width * height), gy: new Int16Array(width * height) }
}

/** Into `gradient`, which has the size of the picture. */
export function takeGradient({ data, stride }: LumaView, { width, height, gx, gy }: Gradient): void {
  for (let y = 1; y < height - 1; y++) {
    const row = y * stride
    let smooth0 = data[row - stride]! + 2 * data[row]! + data[row + stride]!
    let smooth1 = data[row - stride + 1]! + 2 * data[row + 1]! + data[row + stride + 1]!
    let slope0 = data[row + stride]! - data[row - stride]!
    let slope1 = data[row + stride + 1]! - data[row - stride + 1]!
    const last = row + width
    let out = y * width + 1
    for (let at = row + 2; at < last; at++, out++) {
      const p = data[at - stride]!
      const r = data[at + stride]!
      const smooth2 = p + 2 * data[at]! + r
      const slope2 = r - p
      gx[out] = smooth2 - smooth0
      gy[out] = slope0 + 2 * slope1 + slope2
      smooth0 = smooth1
      smooth1 = smooth2
      slope0 = slope1
      slope1 = slope2
    }
  }
}
