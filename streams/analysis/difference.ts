/**
 * Block means of a luma picture: the small grid on which motion is judged. Pure.
 * An 8×8 mean divides sensor noise by 8, so that a fixed threshold means the same in light and in shade.
 */
import type { LumaView } from '../../core/frame.ts'

const BLOCK_PX = 8

/** `[rows, columns]` float32, 0–255; blocks cut off at the right and bottom edges are left out. */
export interface BlockGrid {
  columns: number
  rows: number
  means: Float32Array
}

export function blockMeans(luma: LumaView): BlockGrid {
  const columns = Math.floor(luma.width / BLOCK_PX)
  const rows = Math.floor(luma.height / BLOCK_PX)
  const means = new Float32Array(columns * rows)
  const sums = new Uint32Array(columns)
  for (let row = 0; row < rows; row++) {
    sums.fill(0)
    for (let dy = 0; dy < BLOCK_PX; dy++) {
      let at = (row * BLOCK_PX + dy) * luma.stride
      for (let column = 0; column < columns; column++) {
        let sum = 0
        for (let dx = 0; dx < BLOCK_PX; dx++) sum += luma.data[at++]!
        sums[column] = sums[column]! + sum
      }
    }
    for (let column = 0; column < columns; column++) {
      means[row * columns + column] = sums[column]! / (BLOCK_PX * BLOCK_PX)
    }
  }
  return { columns, rows, means }
}

/** Lower median of values by counting in 511 whole-number bins (−255 … 255); precision 1 grey level. 0 of nothing. */
export function medianGreyLevel(values: Float32Array): number {
  if (values.length === 0) return 0
  const bins = new Uint32Array(511)
  for (const value of values) {
    const bin = Math.max(0, Math.min(510, Math.round(value) + 255))
    bins[bin] = bins[bin]! + 1
  }
  let rank = Math.floor((values.length - 1) / 2)
  for (let bin = 0; bin < bins.length; bin++) {
    rank -= bins[bin]!
    if (rank < 0) return bin - 255
  }
  return 255
}
