/**
 * How many points of a picture can be followed, and how they are spread: Shi and Tomasi's smaller eigenvalue of the structure
 * tensor (CVPR 1994). Pure but for its memory; session host only. On every second pixel in both directions: a corner of a 3×3 window does not
 * fall between two, and it takes a third of the time.
 */
import type { Size } from '../../../core/geometry.ts'
import { eigenvaluesOn, type TakeEigenvalues, WINDOWS } from './eigenvalue-kernel.ts'
import { GradientPlane } from './gradient.ts'

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

const cellsAlong = (px: number) => Math.max(1, Math.round(px / CELL_PX))

/** The corners of a gradient that has its memory. */
export class CornerMeter {
  readonly gradient: GradientPlane
  /** Of the sums over 3×3 windows around (2i + 2, 2j + 2), in rows of `#rowLength`. */
  readonly #eigenvalues: Float32Array
  readonly #rowLength: number
  readonly #cells: Uint8Array
  readonly #take: TakeEigenvalues

  constructor(size: Size) {
    this.#rowLength = WINDOWS * Math.ceil(positions(size.width) / WINDOWS)
    const numbers = this.#rowLength * positions(size.height)
    this.gradient = new GradientPlane(size, numbers * Float32Array.BYTES_PER_ELEMENT)
    this.#eigenvalues = new Float32Array(this.gradient.memory.buffer, this.gradient.free, numbers)
    this.#cells = new Uint8Array(cellsAlong(size.width) * cellsAlong(size.height))
    this.#take = eigenvaluesOn(this.gradient.memory)
  }

  /** Of what `gradient` was last taken of. */
  measure(): Corners {
    const { width, height } = this.gradient
    const [columns, rows] = [positions(width), positions(height)]
    if (columns === 0 || rows === 0) return { cornerDensity: 0, cornerSpread: 0 }
    this.#takeEigenvalues(rows)
    this.#cells.fill(0)
    const [across, down] = [cellsAlong(width), cellsAlong(height)]
    const limit = MIN_EIGENVALUE * WINDOW_GAIN
    let corners = 0
    for (let row = 0; row < rows; row++) {
      const from = row * this.#rowLength
      for (let column = 0; column < columns; column++) {
        if (this.#eigenvalues[from + column]! < limit || !this.#isPeak(column, row, columns, rows)) continue
        corners++
        const x = 2 * column + 2
        const y = 2 * row + 2
        this.#cells[Math.floor((y * down) / height) * across + Math.floor((x * across) / width)] = 1
      }
    }
    let occupied = 0
    for (const cell of this.#cells) occupied += cell
    return { cornerDensity: (1000 * corners) / (width * height), cornerSpread: occupied / this.#cells.length }
  }

  /** Greater than the neighbours before it, and not less than those behind it: of equal ones the first. */
  #isPeak(column: number, row: number, columns: number, rows: number): boolean {
    const values = this.#eigenvalues
    const at = row * this.#rowLength + column
    const value = values[at]!
    const left = column > 0
    const right = column < columns - 1
    if (left && values[at - 1]! >= value) return false
    if (right && values[at + 1]! > value) return false
    if (row > 0) {
      const up = at - this.#rowLength
      if (values[up]! >= value) return false
      if ((left && values[up - 1]! >= value) || (right && values[up + 1]! >= value)) return false
    }
    if (row < rows - 1) {
      const below = at + this.#rowLength
      if (values[below]! > value) return false
      if ((left && values[below - 1]! > value) || (right && values[below + 1]! > value)) return false
    }
    return true
  }

  #takeEigenvalues(rows: number): void {
    const { gx, gy, rowLength } = this.gradient
    const rowBytes = rowLength * Int16Array.BYTES_PER_ELEMENT
    const turns = this.#rowLength / WINDOWS
    for (let row = 0; row < rows; row++) {
      const left = ((2 * row + 2) * rowLength + 1) * Int16Array.BYTES_PER_ELEMENT
      const out = this.#eigenvalues.byteOffset + row * this.#rowLength * Float32Array.BYTES_PER_ELEMENT
      this.#take(gx.byteOffset + left, gy.byteOffset + left, rowBytes, turns, out)
    }
  }
}
