/**
 * Fine detail of a picture in one pass over some of its rows: the sharpness sums and the structure tensor of each tile. Pure but
 * for the memory of its kernel, which is written and read within one call; session host only.
 */
import type { LumaView } from '../../../core/frame.ts'
import { PAGE_BYTES, wasmMemory } from '../../../core/wasm-module.ts'
import { DETAIL_SUMS, detailOn, MAX_DETAIL_VECTORS } from './detail-kernel.ts'
import { LANES, laneMasks, MASKS_BYTES, VECTOR_BYTES } from './sobel-kernel.ts'

export const TILE_COLUMNS = 16
export const TILE_ROWS = 9
/** Σgx², Σgxgy, Σgy² and the number of pixels. */
const TILE_FIELDS = 4

export interface Detail {
  /** Of the 4-neighbour Laplacian. Grey levels squared. */
  laplacianVariance: number
  /** Mean of gx² + gy² by Sobel's 3×3 masks, not divided. Grey levels squared. */
  tenengrad: number
}

/** Structure tensors of a grid of tiles, by rows; written by `measureDetail`. */
export class TileTensors {
  readonly sums = new Float64Array(TILE_COLUMNS * TILE_ROWS * TILE_FIELDS)

  /**
   * Sum over the tiles of each tensor over its trace: `[xx, xy, yy]`. So a tile counts by the directions of its detail, not by
   * its contrast; below `floor` (mean squared gradient, where noise and coding decide) it counts less.
   */
  normalised(floor: number): [number, number, number] {
    const { sums } = this
    let [xx, xy, yy] = [0, 0, 0]
    for (let at = 0; at < sums.length; at += TILE_FIELDS) {
      const count = sums[at + 3]!
      if (count === 0) continue
      const weight = 1 / (sums[at]! + sums[at + 2]! + floor * count)
      xx += sums[at]! * weight
      xy += sums[at + 1]! * weight
      yy += sums[at + 2]! * weight
    }
    return [xx, xy, yy]
  }
}

/** In the kernel's memory: masks, sums, then rows of the picture. */
const SUMS_ADDRESS = MASKS_BYTES
const SUM_LANES = VECTOR_BYTES / Int32Array.BYTES_PER_ELEMENT
const ROWS_ADDRESS = 1024
const memory = wasmMemory(ROWS_ADDRESS)
const sumDetail = detailOn(memory)
new Int16Array(memory.buffer).set(laneMasks())
let bytes = new Uint8Array(memory.buffer)
let partial = new Int32Array(memory.buffer, SUMS_ADDRESS, DETAIL_SUMS * SUM_LANES)

/** Rows 1, 1 + `rowStep`, …; without the border. All numbers are 0 for a picture that has no inside. */
export function measureDetail(luma: LumaView, rowStep: number, { sums }: TileTensors): Detail {
  sums.fill(0)
  const [columns, height] = [luma.width - 2, luma.height - 2]
  if (columns <= 0 || height <= 0) return { laplacianVariance: 0, tenengrad: 0 }
  const { strideBytes, rowBytes, rows } = copyRows(luma, rowStep)
  let laplacianSum = 0
  let laplacianSquares = 0
  let gradientSquares = 0
  let row = 0
  for (let tileRow = 0; tileRow < TILE_ROWS; tileRow++) {
    const first = row
    while (row < rows && Math.floor((row * rowStep * TILE_ROWS) / height) === tileRow) row++
    for (let column = 0; column < TILE_COLUMNS; column++) {
      const start = Math.floor((column * columns) / TILE_COLUMNS)
      const width = Math.floor(((column + 1) * columns) / TILE_COLUMNS) - start
      if (width === 0) continue
      const mask = (width % LANES) * VECTOR_BYTES
      const most = Math.max(1, Math.floor((MAX_DETAIL_VECTORS * LANES) / (width + LANES)))
      const tile = (tileRow * TILE_COLUMNS + column) * TILE_FIELDS
      for (let from = first; from < row; from += most) {
        const count = Math.min(most, row - from)
        const at = ROWS_ADDRESS + strideBytes + from * rowBytes + start
        sumDetail(at, strideBytes, rowBytes, count, Math.floor(width / LANES), mask, SUMS_ADDRESS)
        const [xx, yy] = [total(0), total(2)]
        sums[tile] = sums[tile]! + xx
        sums[tile + 1] = sums[tile + 1]! + total(1)
        sums[tile + 2] = sums[tile + 2]! + yy
        sums[tile + 3] = sums[tile + 3]! + width * count
        gradientSquares += xx + yy
        laplacianSum += total(3)
        laplacianSquares += total(4)
      }
    }
  }
  const n = columns * rows
  const mean = laplacianSum / n
  return { laplacianVariance: laplacianSquares / n - mean * mean, tenengrad: gradientSquares / n }
}

function total(vector: number): number {
  const at = vector * SUM_LANES
  return partial[at]! + partial[at + 1]! + partial[at + 2]! + partial[at + 3]!
}

interface CopiedRows {
  strideBytes: number
  rowBytes: number
  rows: number
}

/** What the kernel will read into its memory: the picture, or of sparse rows only each with its neighbours. */
function copyRows({ data, width, height, stride }: LumaView, rowStep: number): CopiedRows {
  const rows = Math.ceil((height - 2) / rowStep)
  const sparse = rowStep > 3
  const copied = sparse ? 3 * rows : height
  // A masked vector reads a few pixels behind the last.
  reserve(ROWS_ADDRESS + copied * width + VECTOR_BYTES)
  if (stride === width && !sparse) bytes.set(data.subarray(0, width * height), ROWS_ADDRESS)
  else {
    for (let row = 0; row < copied; row++) {
      const from = (sparse ? Math.floor(row / 3) * rowStep + (row % 3) : row) * stride
      bytes.set(data.subarray(from, from + width), ROWS_ADDRESS + row * width)
    }
  }
  return { strideBytes: width, rowBytes: (sparse ? 3 : rowStep) * width, rows }
}

function reserve(size: number): void {
  if (size <= bytes.length) return
  memory.grow(Math.ceil((size - bytes.length) / PAGE_BYTES))
  bytes = new Uint8Array(memory.buffer)
  partial = new Int32Array(memory.buffer, SUMS_ADDRESS, DETAIL_SUMS * SUM_LANES)
}
