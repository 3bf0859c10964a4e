/**
 * The pixels of synthetic shots: texture, noise, things before it, and a lens that is out of focus. Pure; works on one picture in place.
 */
import { randomOf } from '../../test/support/seeded-random.ts'
import { bell, type ShotDraw } from './shot-draw.ts'

export const WIDTH = 640
export const HEIGHT = 360
const TILE = 512
const MASK = TILE - 1
/** Values of noise: more than two pictures of it. */
export const GRAIN = 1 << 19

/** Noise of the sensor, from which each picture takes a stretch. */
export function grain({ seed, noise }: ShotDraw): Float32Array {
  const random = randomOf(seed + 7)
  return Float32Array.from({ length: GRAIN }, () => (noise === 0 ? 0 : noise * bell(random)))
}

/** Sum of octaves of patches around mid-grey, all of one contrast (1/f in amplitude), flat where it is bare; wraps at its edges. */
export function texture({ seed, grainPx, contrast, bare }: ShotDraw): Float32Array {
  const random = randomOf(seed + 1)
  const tile = new Float32Array(TILE * TILE)
  let total = 0
  for (let px = 64; px >= grainPx; px /= 2) {
    const cells = Math.round(TILE / px)
    const values = Float32Array.from({ length: cells * cells }, () => random() - 0.5)
    total++
    octave(tile, values, cells, 1)
  }
  const gain = (contrast * Math.sqrt(12)) / Math.sqrt(total)
  const patches = Float32Array.from({ length: 64 }, () => random())
  for (let y = 0; y < TILE; y++) {
    for (let x = 0; x < TILE; x++) {
      const textured = patches[((y >> 6) << 3) | (x >> 6)]! >= bare
      tile[y * TILE + x] = 118 + (textured ? gain * tile[y * TILE + x]! : 0)
    }
  }
  return tile
}

/** Hard edges, as things have that lie before one another; the first pixel of a cell is half of its neighbour. */
function octave(tile: Float32Array, values: Float32Array, cells: number, weight: number): void {
  const scale = cells / TILE
  const cellOf = (at: number) => Math.floor(at * scale) % cells
  const valueAt = (x: number, y: number) => values[cellOf(y & MASK) * cells + cellOf(x & MASK)]!
  for (let y = 0, at = 0; y < TILE; y++) {
    for (let x = 0; x < TILE; x++, at++) {
      tile[at]! +=
        (weight / 4) * (valueAt(x, y) + valueAt(x + MASK, y) + valueAt(x, y + MASK) + valueAt(x + MASK, y + MASK))
    }
  }
}

export function fill(luma: Float32Array, tile: Float32Array, ox: number, oy: number, share: number): void {
  const [bx, by] = [Math.floor(ox), Math.floor(oy)]
  const [fx, fy] = [ox - bx, oy - by]
  const [w00, w01, w10, w11] = [(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy].map((w) => w * share) as [
    number,
    number,
    number,
    number,
  ]
  for (let y = 0, at = 0; y < HEIGHT; y++) {
    const row = ((y + by) & MASK) * TILE
    const below = ((y + by + 1) & MASK) * TILE
    for (let x = 0; x < WIDTH; x++, at++) {
      const [left, right] = [(x + bx) & MASK, (x + bx + 1) & MASK]
      luma[at]! +=
        w00 * tile[row + left]! + w01 * tile[row + right]! + w10 * tile[below + left]! + w11 * tile[below + right]!
    }
  }
}

/** Replaces what `fill` put there: the same texture from elsewhere, darker, fixed to the disc. */
export function disc(
  luma: Float32Array,
  tile: Float32Array,
  camera: { x: number; y: number },
  left: number,
  top: number,
  radius: number,
  salt: number,
  share: number,
): void {
  const [fromY, toY] = [Math.max(0, Math.ceil(top - radius)), Math.min(HEIGHT - 1, Math.floor(top + radius))]
  for (let y = fromY; y <= toY; y++) {
    const half = Math.sqrt(radius ** 2 - (y - top) ** 2)
    const [fromX, toX] = [Math.max(0, Math.ceil(left - half)), Math.min(WIDTH - 1, Math.floor(left + half))]
    for (let x = fromX; x <= toX; x++) {
      const own = sample(tile, x - left + salt, y - top + 2 * salt) - 25
      luma[y * WIDTH + x]! += share * (own - sample(tile, x + camera.x, y + camera.y))
    }
  }
}

function sample(tile: Float32Array, x: number, y: number): number {
  const [bx, by] = [Math.floor(x), Math.floor(y)]
  const [fx, fy] = [x - bx, y - by]
  const [row, below] = [(by & MASK) * TILE, ((by + 1) & MASK) * TILE]
  const [left, right] = [bx & MASK, (bx + 1) & MASK]
  const upper = tile[row + left]! * (1 - fx) + tile[row + right]! * fx
  return upper * (1 - fy) + (tile[below + left]! * (1 - fx) + tile[below + right]! * fx) * fy
}

/** Three box blurs one after the other are nearly a Gaussian (Wells, 1986). */
export function blur(picture: Float32Array, scratch: Float32Array, sigma: number): void {
  const radius = Math.max(1, Math.round((Math.sqrt(4 * sigma * sigma + 1) - 1) / 2))
  for (let pass = 0; pass < 3; pass++) {
    box(picture, scratch, WIDTH, HEIGHT, 1, WIDTH, radius)
    box(scratch, picture, HEIGHT, WIDTH, WIDTH, 1, radius)
  }
}

/** Along one axis, the ends repeated. */
function box(
  from: Float32Array,
  to: Float32Array,
  length: number,
  rows: number,
  step: number,
  stride: number,
  radius: number,
): void {
  const line = new Float32Array(length + 2 * radius + 1)
  const share = 1 / (2 * radius + 1)
  for (let row = 0; row < rows; row++) {
    const base = row * stride
    for (let n = 0; n < length; n++) line[n + radius] = from[base + n * step]!
    line.fill(line[radius]!, 0, radius)
    line.fill(line[length + radius - 1]!, length + radius)
    let sum = 0
    for (let n = 0; n < 2 * radius + 1; n++) sum += line[n]!
    for (let n = 0; n < length; n++) {
      to[base + n * step] = sum * share
      sum += line[n + 2 * radius + 1]! - line[n]!
    }
  }
}
