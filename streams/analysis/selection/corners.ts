/**
 * Points worth following: the best corner of each cell of a grid that has none yet, by the least eigenvalue of the
 * structure tensor (Shi and Tomasi, "Good features to track", CVPR 1994). The grid spreads them, because points in one corner
 * of the picture fix no camera. Pure.
 */
import type { LumaView } from '../../../core/frame.ts'

/** Structure tensor over 7×7. */
const WINDOW = 3
const SIDE = 2 * WINDOW + 1
/** Corners keep this far from the border, px: a patch of the tracker and its first step. */
const MARGIN_PX = 9
/** Least eigenvalue by pixel, grey levels²: the noise of a dim indoor picture (deviation 3) makes up to about 3. */
const MIN_EIGENVALUE = 6

/** Corners nearer to each other are one; cells larger than this leave too much of a picture to one point. */
const MIN_CELL_PX = 8
const MAX_CELL_PX = 96

export interface CornerGrid {
  cellPx: number
  columns: number
  rows: number
}

/** Cells so that about `points` of them cover the picture. */
export function cornerGrid(width: number, height: number, points: number): CornerGrid {
  const cellPx = Math.max(MIN_CELL_PX, Math.min(MAX_CELL_PX, Math.round(Math.sqrt((width * height) / points))))
  return { cellPx, columns: Math.ceil(width / cellPx), rows: Math.ceil(height / cellPx) }
}

/** Calls `add` with the best corner of each cell that is 0 in `occupied` (`[rows, columns]` uint8), row by row, px. */
export function findCorners(
  picture: LumaView,
  grid: CornerGrid,
  occupied: Uint8Array,
  add: (x: number, y: number) => void,
): void {
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

/** Of the largest cell, with its rim. */
const MAX_SIDE = MAX_CELL_PX + 2 * WINDOW
const products = new Float32Array(3 * MAX_SIDE * MAX_SIDE)
const columns = new Float32Array(3 * MAX_SIDE)
const best = { x: 0, y: 0 }

/**
 * In [left, right) × [top, bottom); false where no pixel passes. Box sums run down the columns, then along the rows; all of them
 * are whole numbers below 2²⁴, exact in float32.
 */
function bestCorner({ data, stride }: LumaView, left: number, top: number, right: number, bottom: number): boolean {
  const width = right - left + 2 * WINDOW
  const height = bottom - top + 2 * WINDOW
  const plane = width * height
  for (let y = 0, out = 0; y < height; y++) {
    let at = (top - WINDOW + y) * stride + left - WINDOW
    for (let x = 0; x < width; x++, at++, out++) {
      const gx = data[at + 1]! - data[at - 1]!
      const gy = data[at + stride]! - data[at - stride]!
      products[out] = gx * gx
      products[plane + out] = gx * gy
      products[2 * plane + out] = gy * gy
    }
  }
  // Gradients above are twice the central difference: a factor of 4 in the tensor.
  const scale = 0.25 / SIDE ** 2
  let bestLeast = MIN_EIGENVALUE / scale
  let isFound = false
  for (let part = 0; part < 3; part++) startColumns(part, part * plane, width)
  for (let y = 0; y < bottom - top; y++) {
    if (y > 0) for (let part = 0; part < 3; part++) moveColumns(part, part * plane + (y - 1) * width, width)
    let xx = 0
    let xy = 0
    let yy = 0
    for (let x = 0; x < SIDE - 1; x++) {
      xx += columns[x]!
      xy += columns[MAX_SIDE + x]!
      yy += columns[2 * MAX_SIDE + x]!
    }
    for (let x = 0; x < right - left; x++) {
      const enter = x + SIDE - 1
      xx += columns[enter]!
      xy += columns[MAX_SIDE + enter]!
      yy += columns[2 * MAX_SIDE + enter]!
      const half = (xx + yy) / 2
      // The least eigenvalue is at most the half sum: most pixels need no root.
      if (half > bestLeast) {
        const least = half - Math.sqrt(((xx - yy) / 2) ** 2 + xy * xy)
        if (least > bestLeast) {
          bestLeast = least
          best.x = left + x
          best.y = top + y
          isFound = true
        }
      }
      xx -= columns[x]!
      xy -= columns[MAX_SIDE + x]!
      yy -= columns[2 * MAX_SIDE + x]!
    }
  }
  return isFound
}

/** Sums of the first SIDE rows of a plane of products. */
function startColumns(part: number, base: number, width: number): void {
  for (let x = 0; x < width; x++) {
    let sum = 0
    for (let row = 0; row < SIDE; row++) sum += products[base + row * width + x]!
    columns[part * MAX_SIDE + x] = sum
  }
}

/** One row down: `leaving` is where the row that leaves begins. */
function moveColumns(part: number, leaving: number, width: number): void {
  const entering = leaving + SIDE * width
  const base = part * MAX_SIDE
  for (let x = 0; x < width; x++)
    columns[base + x] = columns[base + x]! + products[entering + x]! - products[leaving + x]!
}
