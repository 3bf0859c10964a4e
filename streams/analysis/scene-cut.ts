/**
 * Where one scene ends and another begins: a picture of which most is nowhere near in the picture before it. Pure state
 * over one camera's frames, in PTS order.
 * Correlation of spatially sub-sampled pictures, uniform ones left out, as in Urhan, Güllü and Ertürk, "Modified
 * phase-correlation based robust hard-cut detection" (IEEE Trans. CSVT 16(6), 2006), here tile by tile and in the plane: within
 * a tile the light's level and contrast cancel out, so that a lamp or auto-exposure changes nothing, and a tile that is found
 * a little further on has moved. Not found: cuts between pictures of one framing, which differ by the person alone; there
 * the looks of the faces decide (tracker.ts).
 */
import type { BlockGrid } from './difference.ts'

/** Side of a tile in blocks of 8 px. */
const TILE_BLOCKS = 10
/** How far a tile may have moved between two pictures, blocks along each axis. */
const REACH_BLOCKS = 8
/** Zero-mean normalised cross-correlation from which a tile shows what was there before. */
const FOUND_CORRELATION = 0.8
/**
 * Share of all tiles that a cut leaves without a counterpart; flat ones have none to look for. Measured (docs/decisions.md): at
 * most 0.25 without a cut, 0.46 in a fast pan, at least 0.57 with a cut.
 */
const CUT_SHARE = 0.5
/** Standard deviation of a tile without structure, grey levels: a wall, a blown-out window, the dark. */
const FLAT_DEVIATION = 1.5
/** A picture of which less than this has structure says nothing: a covered lens, a flash, the light out. */
const MIN_STRUCTURE = 0.15

/** In blocks; `right` and `bottom` are outside. */
interface Tile {
  left: number
  top: number
  right: number
  bottom: number
}

export class SceneCuts {
  #before: BlockGrid | undefined
  #isAtLastGrid = false

  /** The next picture is compared with the last one that was given. */
  get isAtLastGrid(): boolean {
    return this.#isAtLastGrid
  }

  /** True when `grid` begins another scene than the last picture that had structure. Keeps `grid`. */
  step(grid: BlockGrid): boolean {
    const tiles = tilesOf(grid)
    const structured = tiles.filter((tile) => varianceOf(grid, tile) >= FLAT_DEVIATION ** 2)
    this.#isAtLastGrid = structured.length >= MIN_STRUCTURE * tiles.length
    if (!this.#isAtLastGrid) return false
    const before = this.#before
    this.#before = grid
    if (!before || before.columns !== grid.columns || before.rows !== grid.rows) return false
    const enough = CUT_SHARE * tiles.length
    const changed = structured.filter((tile) => correlation(before, grid, tile, 0, 0) < FOUND_CORRELATION)
    if (changed.length <= enough) return false
    // Only now the search, 2 ms when it finds nothing.
    return changed.filter((tile) => !isNear(before, grid, tile)).length > enough
  }
}

function tilesOf({ columns, rows }: BlockGrid): Tile[] {
  const tiles: Tile[] = []
  for (let top = 0; top < rows; top += TILE_BLOCKS) {
    for (let left = 0; left < columns; left += TILE_BLOCKS) {
      const right = Math.min(columns, left + TILE_BLOCKS)
      tiles.push({ left, top, right, bottom: Math.min(rows, top + TILE_BLOCKS) })
    }
  }
  return tiles
}

function isNear(before: BlockGrid, after: BlockGrid, tile: Tile): boolean {
  for (let dy = -REACH_BLOCKS; dy <= REACH_BLOCKS; dy++) {
    if (tile.top + dy < 0 || tile.bottom + dy > after.rows) continue
    for (let dx = -REACH_BLOCKS; dx <= REACH_BLOCKS; dx++) {
      if (tile.left + dx < 0 || tile.right + dx > after.columns) continue
      if (correlation(before, after, tile, dx, dy) >= FOUND_CORRELATION) return true
    }
  }
  return false
}

/** Of `tile` of `after` with the place in `before` that is (dx, dy) blocks away; −1 … 1, 0 where either is flat. */
function correlation(before: BlockGrid, after: BlockGrid, tile: Tile, dx: number, dy: number): number {
  const { columns } = after
  let a = 0
  let b = 0
  let aa = 0
  let bb = 0
  let ab = 0
  for (let row = tile.top; row < tile.bottom; row++) {
    const offset = dy * columns + dx
    for (let at = row * columns + tile.left; at < row * columns + tile.right; at++) {
      const p = before.means[at + offset]!
      const q = after.means[at]!
      a += p
      b += q
      aa += p * p
      bb += q * q
      ab += p * q
    }
  }
  const n = (tile.right - tile.left) * (tile.bottom - tile.top)
  const variances = (aa / n - (a / n) ** 2) * (bb / n - (b / n) ** 2)
  return variances < FLAT_DEVIATION ** 4 ? 0 : (ab / n - (a / n) * (b / n)) / Math.sqrt(variances)
}

function varianceOf({ columns, means }: BlockGrid, { left, top, right, bottom }: Tile): number {
  let sum = 0
  let squares = 0
  for (let row = top; row < bottom; row++) {
    for (let at = row * columns + left; at < row * columns + right; at++) {
      sum += means[at]!
      squares += means[at]! ** 2
    }
  }
  const n = (right - left) * (bottom - top)
  return squares / n - (sum / n) ** 2
}
