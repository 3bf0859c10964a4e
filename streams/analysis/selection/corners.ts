/**
 * Points worth following: the best corner of each cell of a grid that has none yet, by the least eigenvalue of the
 * structure tensor (Shi and Tomasi, "Good features to track", CVPR 1994). The grid spreads them, because points in one corner
 * of the picture fix no camera. Pure.
 */
import type { LumaView } from '../../../core/frame.ts'

/** Structure tensor over 7×7. */
const WINDOW = 3
/** Corners keep this far from the border, px: a patch of the tracker and its first step. */
const MARGIN_PX = 9
/** Least eigenvalue by pixel, grey levels²: the noise of a dim indoor picture (deviation 3) makes up to about 3. */
const MIN_EIGENVALUE = 6

export interface CornerGrid {
  cellPx: number
  columns: number
  rows: number
}

/** Cells so that about `points` of them cover the picture. */
export function cornerGrid(width: number, height: number, points: number): CornerGrid {
  const cellPx = Math.max(8, Math.round(Math.sqrt((width * height) / points)))
  return { cellPx, columns: Math.ceil(width / cellPx), rows: Math.ceil(height / cellPx) }
}

/** Calls `add` with the best corner of each cell that is 0 in `occupied` (`[rows, columns]` uint8), row by row, px. */
export function findCorners(
  picture: LumaView,
  grid: CornerGrid,
  occupied: Uint8Array,
  add: (x: number, y: number) => void,
): void {
  const side = grid.cellPx + 2 * WINDOW
  if (products.length < 3 * side * side) products = new Float32Array(3 * side * side)
  for (let row = 0; row < grid.rows; row++) {
    for (let column = 0; column < grid.columns; column++) {
      if (occupied[row * grid.columns + column] !== 0) continue
      const left = Math.max(MARGIN_PX, column * grid.cellPx)
      const top = Math.max(MARGIN_PX, row * grid.cellPx)
      const right = Math.min(picture.width - MARGIN_PX, (column + 1) * grid.cellPx)
      const bottom = Math.min(picture.height - MARGIN_PX, (row + 1) * grid.cellPx)
      if (right - left < 3 || bottom - top < 3) continue
      if (bestCorner(picture, left, top, right, bottom)) add(best.x, best.y)
    }
  }
}

let products = new Float32Array(0)
const best = { x: 0, y: 0 }

/** In [left, right) × [top, bottom); false where no pixel passes. Box sums run down the columns, then along the rows. */
function bestCorner({ data, stride }: LumaView, left: number, top: number, right: number, bottom: number): boolean {
  const width = right - left + 2 * WINDOW
  const height = bottom - top + 2 * WINDOW
  const plane = width * height
  let out = 0
  for (let y = top - WINDOW; y < bottom + WINDOW; y++) {
    let at = y * stride + left - WINDOW
    for (let x = 0; x < width; x++, at++, out++) {
      const gx = data[at + 1]! - data[at - 1]!
      const gy = data[at + stride]! - data[at - stride]!
      products[out] = gx * gx
      products[plane + out] = gx * gy
      products[2 * plane + out] = gy * gy
    }
  }
  // Gradients above are twice the central difference: a factor of 4 in the tensor.
  const scale = 0.25 / (2 * WINDOW + 1) ** 2
  let bestLeast = MIN_EIGENVALUE
  let isFound = false
  for (let part = 0; part < 3; part++) sumColumns(part * plane, width, height)
  for (let y = 0; y < bottom - top; y++) {
    let xx = 0
    let xy = 0
    let yy = 0
    const row = y * width
    for (let x = 0; x < 2 * WINDOW; x++) {
      xx += products[row + x]!
      xy += products[plane + row + x]!
      yy += products[2 * plane + row + x]!
    }
    for (let x = 0; x < right - left; x++) {
      const enter = row + x + 2 * WINDOW
      xx += products[enter]!
      xy += products[plane + enter]!
      yy += products[2 * plane + enter]!
      const half = (xx + yy) / 2
      const least = (half - Math.sqrt(((xx - yy) / 2) ** 2 + xy * xy)) * scale
      if (least > bestLeast) {
        bestLeast = least
        best.x = left + x
        best.y = top + y
        isFound = true
      }
      const leave = row + x
      xx -= products[leave]!
      xy -= products[plane + leave]!
      yy -= products[2 * plane + leave]!
    }
  }
  return isFound
}

/** Each value becomes the sum of itself and the 2·WINDOW below it; the last rows become meaningless. */
function sumColumns(base: number, width: number, height: number): void {
  for (let y = 0; y + 2 * WINDOW < height; y++) {
    const row = base + y * width
    for (let x = 0; x < width; x++) {
      let sum = products[row + x]!
      for (let below = 1; below <= 2 * WINDOW; below++) sum += products[row + x + below * width]!
      products[row + x] = sum
    }
  }
}
