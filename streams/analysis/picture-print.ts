/**
 * The fingerprint of a luma picture, block by block, by which two pictures are found to be the very same. Pure.
 * A sensor's noise changes every block of 8 × 8 px that carries any detail, however weak it is and however coarse the codec; an
 * encoder that gets the same picture again makes the same blocks wherever it chooses the same step.
 */
import type { LumaView } from '../../core/frame.ts'

const BLOCK_PX = 8
const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193

/**
 * For each pixel of a block ±1 to ±8, all different enough that two shapes of as much ink (a 2 and a 5) give different sums.
 * From a linear congruential generator, so that they are the same everywhere.
 */
const WEIGHTS = ((): Int8Array => {
  let state = 1
  return Int8Array.from({ length: BLOCK_PX * BLOCK_PX }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const size = 1 + ((state >>> 24) & 7)
    return (state >>> 30) & 1 ? size : -size
  })
})()

/** Of `[rows, columns]` blocks; those cut off at the right and bottom edges are left out. 22 KB for 640 × 360. */
export interface PicturePrint {
  columns: number
  rows: number
  /** FNV-1a of the block's pixels, folded to 16 bits: one block in 65 536 is taken for equal and is not. */
  hashes: Uint16Array
  /** Of the block's 64 pixels. */
  sums: Uint16Array
  /** Of the pixels times their weights, divided by 16: tells shapes apart that have the same sum. */
  shapes: Int16Array
}

export function printOf({ data, width, height, stride }: LumaView): PicturePrint {
  const columns = Math.floor(width / BLOCK_PX)
  const rows = Math.floor(height / BLOCK_PX)
  const hashes = new Uint16Array(columns * rows)
  const sums = new Uint16Array(columns * rows)
  const shapes = new Int16Array(columns * rows)
  for (let block = 0; block < hashes.length; block++) {
    const start = Math.floor(block / columns) * BLOCK_PX * stride + (block % columns) * BLOCK_PX
    let hash = FNV_OFFSET
    let sum = 0
    let shape = 0
    let pixel = 0
    for (let y = 0; y < BLOCK_PX; y++) {
      for (let at = start + y * stride, end = at + BLOCK_PX; at < end; at++) {
        const value = data[at]!
        hash = Math.imul(hash ^ value, FNV_PRIME)
        sum += value
        shape += value * WEIGHTS[pixel++]!
      }
    }
    hashes[block] = hash ^ (hash >>> 16)
    sums[block] = sum
    shapes[block] = shape >> 4
  }
  return { columns, rows, hashes, sums, shapes }
}

export function sameShape(a: PicturePrint, b: PicturePrint): boolean {
  return a.columns === b.columns && a.rows === b.rows
}

/** What two pictures may differ by and still be repetitions. */
export interface Likeness {
  /** Share of blocks that are not exactly equal, 0–1; */
  unequalRatio: number
  /** of each of those, the change of its mean, grey levels, */
  greyLevels: number
  /** and of its shape, in units of `PicturePrint.shapes`. */
  shape: number
}

/** Few blocks differ and those little: a clock in the picture changes few blocks, but those much. Prints of the same shape. */
export function isRepetition(a: PicturePrint, b: PicturePrint, { unequalRatio, greyLevels, shape }: Likeness): boolean {
  const most = BLOCK_PX * BLOCK_PX * greyLevels
  let left = Math.floor(unequalRatio * a.hashes.length)
  for (let block = 0; block < a.hashes.length; block++) {
    if (a.hashes[block] === b.hashes[block]) continue
    if (--left < 0) return false
    if (Math.abs(a.sums[block]! - b.sums[block]!) > most || Math.abs(a.shapes[block]! - b.shapes[block]!) > shape)
      return false
  }
  return true
}

/** Share of blocks whose mean differs by more than `greyLevels`, 0–1. The prints must be of the same shape. */
export function changedRatio(a: PicturePrint, b: PicturePrint, greyLevels: number): number {
  const least = BLOCK_PX * BLOCK_PX * greyLevels
  let changed = 0
  for (let block = 0; block < a.sums.length; block++) {
    if (Math.abs(a.sums[block]! - b.sums[block]!) > least) changed++
  }
  return a.sums.length === 0 ? 0 : changed / a.sums.length
}
