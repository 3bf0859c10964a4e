/**
 * How many points of a picture can be followed, and how they are spread: Shi and Tomasi's smaller eigenvalue of the structure
 * tensor (CVPR 1994). Pure; session host only. On every second pixel in both directions: a corner of a 3×3 window does not
 * fall between two, and it takes a third of the time.
 */
import type { Size } from '../../../core/geometry.ts'
import type { Gradient } from './gradient.ts'

export interface Corners {
  cornerDensity: number
  cornerSpread: number
}

/**
 * Smaller eigenvalue from which on a point counts, as the mean square of the derivative in the weakest direction, (grey levels
 * a pixel)². Absolute, since a share of the greatest (as in OpenCV's goodFeaturesToTrack) would find as many corners in fog.
 */
const MIN_EIGENVALUE = 16
/** 3×3 pixels, and 8 for each of the two Sobel derivatives. */
const WINDOW_GAIN = 9 * 64
const CELL_PX = 40
/** Positions 2, 4, … that have a window with derivatives. */
const positions = (px: number) => Math.max(0, Math.floor((px - 3) / 2))

export interface CornerMemory {
  eigenvalues: Float32Array
  cells: Uint8Array
}

export function cornerMemory({ width, height }: Size): CornerMemory {
  return {
    eigenvalues: new Float32Array(positions(width) * positions(height)),
    cells: new Uint8Array(cellsAlong(width) * cellsAlong(height)),
  }
}

const cellsAlong = (px: number) => Math.max(1, Math.round(px / CELL_PX))

export function measureCorners(gradient: Gradient, { eigenvalues, cells }: CornerMemory): Corners {
  const { width, height } = gradient
  const [columns, rows] = [positions(width), positions(height)]
  takeEigenvalues(gradient, columns, rows, eigenvalues)
  cells.fill(0)
  const [across, down] = [cellsAlong(width), cellsAlong(height)]
  const limit = MIN_EIGENVALUE * WINDOW_GAIN
  let corners = 0
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column
      const value = eigenvalues[at]!
      if (value < limit || !isPeak(eigenvalues, value, column, row, columns, rows)) continue
      corners++
      const [x, y] = [2 * column + 2, 2 * row + 2]
      cells[Math.floor((y * down) / height) * across + Math.floor((x * across) / width)] = 1
    }
  }
  let occupied = 0
  for (let cell = 0; cell < cells.length; cell++) occupied += cells[cell]!
  return { cornerDensity: (1000 * corners) / Math.max(1, width * height), cornerSpread: occupied / cells.length }
}

/** Greater than the neighbours before it, and not less than those behind it: of equal ones the first. */
function isPeak(
  values: Float32Array,
  value: number,
  column: number,
  row: number,
  columns: number,
  rows: number,
): boolean {
  const at = row * columns + column
  const [left, right, above, below] = [column > 0, column < columns - 1, row > 0, row < rows - 1]
  if (left && values[at - 1]! >= value) return false
  if (right && values[at + 1]! > value) return false
  if (above) {
    const up = at - columns
    if (values[up]! >= value || (left && values[up - 1]! >= value) || (right && values[up + 1]! >= value)) return false
  }
  if (below) {
    const down = at + columns
    if (values[down]! > value || (left && values[down - 1]! > value) || (right && values[down + 1]! > value))
      return false
  }
  return true
}

/** Of the sums over 3×3 windows around (2i + 2, 2j + 2). */
function takeEigenvalues({ width, gx, gy }: Gradient, columns: number, rows: number, out: Float32Array): void {
  for (let row = 0; row < rows; row++) {
    let at = (2 * row + 2) * width + 1
    // Sums down a column of three, of the column to the left of the window's middle.
    let xx0 = squares(gx, at, width)
    let yy0 = squares(gy, at, width)
    let xy0 = products(gx, gy, at, width)
    for (let column = 0; column < columns; column++, at += 2) {
      const xx2 = squares(gx, at + 2, width)
      const yy2 = squares(gy, at + 2, width)
      const xy2 = products(gx, gy, at + 2, width)
      const a = xx0 + squares(gx, at + 1, width) + xx2
      const b = xy0 + products(gx, gy, at + 1, width) + xy2
      const c = yy0 + squares(gy, at + 1, width) + yy2
      const difference = a - c
      out[row * columns + column] = 0.5 * (a + c - Math.sqrt(difference * difference + 4 * b * b))
      xx0 = xx2
      yy0 = yy2
      xy0 = xy2
    }
  }
}

function squares(g: Int16Array, at: number, width: number): number {
  const p = g[at - width]!
  const q = g[at]!
  const r = g[at + width]!
  return Math.imul(p, p) + Math.imul(q, q) + Math.imul(r, r)
}

function products(gx: Int16Array, gy: Int16Array, at: number, width: number): number {
  return (
    Math.imul(gx[at - width]!, gy[at - width]!) +
    Math.imul(gx[at]!, gy[at]!) +
    Math.imul(gx[at + width]!, gy[at + width]!)
  )
}
