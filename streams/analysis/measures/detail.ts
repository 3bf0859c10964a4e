/**
 * Fine detail of a picture in one pass over some of its rows: the sharpness sums and the structure tensor of each tile. Pure;
 * session host only. From three pixels of a column come its smoothing (p + 2q + r) and its difference (r − p); of three
 * columns, both Sobel derivatives and the Laplacian.
 */
import type { LumaView } from '../../../core/frame.ts'

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

/** Rows 1, 1 + `rowStep`, …; without the border. All numbers are 0 for a picture that has no inside. */
export function measureDetail(luma: LumaView, rowStep: number, { sums }: TileTensors): Detail {
  const { data, width, height, stride } = luma
  sums.fill(0)
  const [columns, rows] = [width - 2, height - 2]
  let laplacianSum = 0
  let laplacianSquares = 0
  let gradientSquares = 0
  let n = 0
  for (let y = 1; y <= rows; y += rowStep) {
    let at = y * stride + 1
    let tile = Math.floor(((y - 1) * TILE_ROWS) / rows) * TILE_COLUMNS * TILE_FIELDS
    let q0 = data[at - 1]!
    let q1 = data[at]!
    let smooth0 = data[at - stride - 1]! + 2 * q0 + data[at + stride - 1]!
    let smooth1 = data[at - stride]! + 2 * q1 + data[at + stride]!
    let slope0 = data[at + stride - 1]! - data[at - stride - 1]!
    let slope1 = data[at + stride]! - data[at - stride]!
    let start = 0
    for (let column = 1; column <= TILE_COLUMNS; column++, tile += TILE_FIELDS) {
      const end = Math.floor((column * columns) / TILE_COLUMNS)
      // Sums of a tile's row stay whole 32-bit numbers up to 2063 px (1020² × 2063 < 2³¹), which is twice as fast as doubles.
      let [xx, xy, yy, laplacians, squares] = [0, 0, 0, 0, 0]
      for (let x = start; x < end; x++) {
        at++
        const p = data[at - stride]!
        const q2 = data[at]!
        const r = data[at + stride]!
        const smooth2 = p + 2 * q2 + r
        const slope2 = r - p
        const gx = smooth2 - smooth0
        const gy = slope0 + 2 * slope1 + slope2
        const laplacian = smooth1 - 6 * q1 + q0 + q2
        xx = (xx + Math.imul(gx, gx)) | 0
        xy = (xy + Math.imul(gx, gy)) | 0
        yy = (yy + Math.imul(gy, gy)) | 0
        laplacians = (laplacians + laplacian) | 0
        squares = (squares + Math.imul(laplacian, laplacian)) | 0
        smooth0 = smooth1
        smooth1 = smooth2
        slope0 = slope1
        slope1 = slope2
        q0 = q1
        q1 = q2
      }
      sums[tile] = sums[tile]! + xx
      sums[tile + 1] = sums[tile + 1]! + xy
      sums[tile + 2] = sums[tile + 2]! + yy
      sums[tile + 3] = sums[tile + 3]! + end - start
      gradientSquares += xx + yy
      laplacianSum += laplacians
      laplacianSquares += squares
      n += end - start
      start = end
    }
  }
  if (n <= 0) return { laplacianVariance: 0, tenengrad: 0 }
  const mean = laplacianSum / n
  return { laplacianVariance: laplacianSquares / n - mean * mean, tenengrad: gradientSquares / n }
}
