/**
 * Blur in the frequency domain: the share of high frequencies in 8×8 DCT tiles. Pure; session host only.
 * The tiles lie on the grid of 8 that most codecs code by, so that no tile has a seam of theirs inside. By Parseval's theorem
 * the energy of a tile is the sum of its squares: of the coefficients only the 21 low ones have to be computed.
 */
import type { LumaView } from '../../../core/frame.ts'

const TILE_PX = 8
/** Tiles across and down, at most: 37 000 pixels of a picture of any size. */
const MAX_COLUMNS = 32
const MAX_ROWS = 18
/** A coefficient (u, v) is high from u + v = 6 on: 43 of 64. */
const HIGH_FROM = 6
const HIGH_COEFFICIENTS = 43
/** Of rounding to whole grey levels, in each coefficient: without it a picture with hardly any detail would seem to have fine one. */
const ROUNDING_VARIANCE = 1 / 12

/** Orthonormal DCT-II: row u, column x. */
const basis = Float64Array.from({ length: HIGH_FROM * TILE_PX }, (_, index) => {
  const [u, x] = [Math.floor(index / TILE_PX), index % TILE_PX]
  return Math.sqrt((u === 0 ? 1 : 2) / TILE_PX) * Math.cos(((2 * x + 1) * u * Math.PI) / (2 * TILE_PX))
})

/**
 * Energy at u + v ≥ 6, less what rounding puts there, over all energy but the means', summed over the tiles: 0–1; 0 where
 * nothing varies.
 */
export function highFrequencyShare({ data, width, height, stride }: LumaView, scratch: Float64Array): number {
  const [across, down] = [Math.floor(width / TILE_PX), Math.floor(height / TILE_PX)]
  const [columns, rows] = [Math.min(MAX_COLUMNS, across), Math.min(MAX_ROWS, down)]
  let total = 0
  let low = 0
  for (let row = 0; row < rows; row++) {
    const y = TILE_PX * Math.floor(((row + 0.5) * down) / rows)
    for (let column = 0; column < columns; column++) {
      const x = TILE_PX * Math.floor(((column + 0.5) * across) / columns)
      let at = y * stride + x
      let sum = 0
      let squares = 0
      for (let i = 0; i < TILE_PX; i++, at += stride) {
        // Arrays that are taken apart at once are made nevertheless: 1.7 MB for each picture.
        const a = data[at]!
        const b = data[at + 1]!
        const c = data[at + 2]!
        const d = data[at + 3]!
        const e = data[at + 4]!
        const f = data[at + 5]!
        const g = data[at + 6]!
        const h = data[at + 7]!
        sum += a + b + c + d + e + f + g + h
        squares += a * a + b * b + c * c + d * d + e * e + f * f + g * g + h * h
        // Even functions see sums of mirrored pixels, odd ones differences.
        for (let u = 0; u < HIGH_FROM; u += 2) {
          const k = u * TILE_PX
          scratch[k + i] =
            basis[k]! * (a + h) + basis[k + 1]! * (b + g) + basis[k + 2]! * (c + f) + basis[k + 3]! * (d + e)
          scratch[k + TILE_PX + i] =
            basis[k + 8]! * (a - h) + basis[k + 9]! * (b - g) + basis[k + 10]! * (c - f) + basis[k + 11]! * (d - e)
        }
      }
      total += squares - (sum * sum) / (TILE_PX * TILE_PX)
      low += lowEnergy(scratch)
    }
  }
  const high = total - low - rows * columns * HIGH_COEFFICIENTS * ROUNDING_VARIANCE
  return total > 0 ? Math.max(0, high / total) : 0
}

/** Of the coefficients (u, v) with 0 < u + v < 6, from the rows' coefficients `[u][row]`. */
function lowEnergy(rows: Float64Array): number {
  let energy = 0
  for (let u = 0; u < HIGH_FROM; u++) {
    const from = u * TILE_PX
    for (let v = u === 0 ? 1 : 0; u + v < HIGH_FROM; v++) {
      const k = v * TILE_PX
      let sum = 0
      for (let i = 0; i < TILE_PX; i++) sum += basis[k + i]! * rows[from + i]!
      energy += sum * sum
    }
  }
  return energy
}
