/**
 * Edges of a picture, thinned to one pixel, and how many of them are straight lines of how many directions. Pure; session host
 * only. A tile has a line when the directions of its edge pixels agree (double angles, Bigün and Granlund, ICCV 1987): a line
 * segment detector (LSD) costs ten times as much and is not needed for a share.
 */
import type { Size } from '../../../core/geometry.ts'
import type { GradientPlane } from './gradient.ts'

export interface Edges {
  edgeDensity: number
  lineDensity: number
  lineDiversity: number
}

/** Sobel's magnitude, 10 grey levels a pixel: noise of σ = 3 gives it to one pixel in 1000. */
const MIN_MAGNITUDE = 80
const TILE_PX = 16
/** A line that crosses a tile leaves about one edge pixel a row; one that cuts a corner does not count. */
const MIN_LINE_PX = 10
/** Length of the mean double-angle vector: 1 for one direction, about 0.9 for directions within ±12°. */
const MIN_AGREEMENT = 0.9
const DIRECTIONS = 8
/** tan 22.5°: between the four directions in which neighbours lie. */
const TAN_22 = 0.4142
/** Edge pixels, and the sums of cos 2φ and sin 2φ of their gradients. */
const TILE_FIELDS = 3

const tilesAlong = (px: number) => Math.ceil(px / TILE_PX)

export function edgeMemory({ width, height }: Size): Float32Array {
  return new Float32Array(tilesAlong(width) * tilesAlong(height) * TILE_FIELDS)
}

export function measureEdges(gradient: GradientPlane, tiles: Float32Array): Edges {
  const { width, height, rowLength, gx, gy, squares } = gradient
  tiles.fill(0)
  const across = tilesAlong(width)
  const limit = MIN_MAGNITUDE * MIN_MAGNITUDE
  let edges = 0
  for (let y = 1; y < height - 1; y++) {
    const row = y * rowLength
    const tileRow = Math.floor(y / TILE_PX) * across
    for (let at = row + 1; at < row + width - 1; at++) {
      const square = squares[at]!
      if (square < limit) continue
      const dx = gx[at]!
      const dy = gy[at]!
      const ahead = stepAcross(dx, dy, rowLength)
      // Of two equal ones the first: a step between two pixels has the same gradient in both.
      if (squares[at - ahead]! >= square || squares[at + ahead]! > square) continue
      edges++
      const tile = (tileRow + ((at - row) >> 4)) * TILE_FIELDS
      tiles[tile] = tiles[tile]! + 1
      tiles[tile + 1] = tiles[tile + 1]! + (dx * dx - dy * dy) / square
      tiles[tile + 2] = tiles[tile + 2]! + (2 * dx * dy) / square
    }
  }
  return { edgeDensity: edges / Math.max(1, width * height), ...measureLines(tiles) }
}

/** The neighbour, as a distance in memory, that lies across the edge; always one that comes later. */
function stepAcross(dx: number, dy: number, rowLength: number): number {
  const x = Math.abs(dx)
  const y = Math.abs(dy)
  if (y <= TAN_22 * x) return 1
  if (x <= TAN_22 * y) return rowLength
  return dx > 0 === dy > 0 ? rowLength + 1 : rowLength - 1
}

function measureLines(tiles: Float32Array): Pick<Edges, 'lineDensity' | 'lineDiversity'> {
  const directions = new Array<number>(DIRECTIONS).fill(0)
  let lines = 0
  for (let tile = 0; tile < tiles.length; tile += TILE_FIELDS) {
    const count = tiles[tile]!
    if (count < MIN_LINE_PX) continue
    const [cosine, sine] = [tiles[tile + 1]!, tiles[tile + 2]!]
    if (cosine * cosine + sine * sine < (MIN_AGREEMENT * count) ** 2) continue
    lines++
    // Bins are centred on their directions, so that upright lines do not fall on the border of two.
    const turn = Math.atan2(sine, cosine) / (2 * Math.PI)
    const bin = (Math.round(turn * DIRECTIONS) + DIRECTIONS) % DIRECTIONS
    directions[bin] = directions[bin]! + 1
  }
  let entropy = 0
  for (const count of directions) if (count > 0) entropy -= (count / lines) * Math.log2(count / lines)
  return {
    lineDensity: lines / Math.max(1, tiles.length / TILE_FIELDS),
    lineDiversity: entropy / Math.log2(DIRECTIONS),
  }
}
