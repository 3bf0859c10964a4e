/**
 * Where a patch of one picture is in the next. Pure; pyramidal Lucas-Kanade (Lucas and Kanade 1981; Bouguet, "Pyramidal
 * implementation of the affine Lucas Kanade feature tracker", 2000), translation only, with the patch's mean and contrast
 * taken out at each step (Jin, Favaro and Soatto, ICCV 2001), so that auto-exposure does not push points about.
 * Typed arrays in this thread's scratch: not re-entrant, which synchronous code cannot notice.
 */
import type { LumaView } from '../../../core/frame.ts'
import type { Pyramid } from './pyramid.ts'

/** Patches of 11×11, the smallest that hold on to corners under the blur of a walking hand, and of 7×7 on the way there. */
const RADIUS = { coarse: 3, fine: 5 }
const MAX_AREA = (2 * RADIUS.fine + 1) ** 2
/** Levels above 0: displacements of ±2 px per level at the coarsest, on top of the guess. */
const COARSE_LEVELS = 3
const MAX_STEPS = { coarse: 3, fine: 6 }
/** Steps shorter than this end the search, px. */
const CONVERGED_PX = 0.03
/** Least eigenvalue of the structure tensor by pixel, grey levels²: below, the patch slides along an edge. */
const MIN_EIGENVALUE = 1.5
/** Contrast may change this much between two pictures (a lamp, auto-exposure, blur); beyond it is another thing. */
const GAIN = { least: 0.4, most: 2.5 }
/** Correlation of a patch that is found. Blur costs correlation: higher, and points are lost in each shake. */
const MIN_CORRELATION = 0.75
/** Fine texture averages away on the coarse levels: what was found there by less is worse than the guess. */
const MIN_COARSE_CORRELATION = 0.6
/** Forward and backward must meet within this, px (Kalal et al., ICPR 2010). */
const MAX_RETURN_PX = 0.8

const patch = new Float32Array(MAX_AREA)
const gradX = new Float32Array(MAX_AREA)
const gradY = new Float32Array(MAX_AREA)
/** Of `align`: position; valid when it gave true. */
const found = { x: 0, y: 0, correlation: 0 }

export interface Flow {
  /** px of the next picture; kept where `ok` is 0. */
  x: Float64Array
  y: Float64Array
  /** 1: found, and found back. */
  ok: Uint8Array
}

/**
 * The first `count` points (px of `before`) looked for in `now`, beginning at each one's place + (guessX, guessY) px.
 * Writes `out`.
 */
export function followPoints(
  before: Pyramid,
  now: Pyramid,
  x: Float64Array,
  y: Float64Array,
  count: number,
  guess: { dx: number; dy: number },
  out: Flow,
): void {
  const coarsest = Math.min(COARSE_LEVELS, before.levels.length - 1)
  for (let i = 0; i < count; i++) {
    out.ok[i] = follow(before, now, coarsest, x[i]!, y[i]!, guess.dx, guess.dy) ? 1 : 0
    out.x[i] = forward.x
    out.y[i] = forward.y
  }
}

const forward = { x: 0, y: 0 }

function follow(
  before: Pyramid,
  now: Pyramid,
  coarsest: number,
  x: number,
  y: number,
  dx: number,
  dy: number,
): boolean {
  let toX = x + dx
  let toY = y + dy
  for (let level = coarsest; level >= 0; level--) {
    const detail = level > 0 ? 'coarse' : 'fine'
    const a = before.levels[level]!
    const good = align(
      a,
      now.levels[level]!,
      toLevel(x, level),
      toLevel(y, level),
      toLevel(toX, level),
      toLevel(toY, level),
      detail,
    )
    if (good && (level === 0 || found.correlation >= MIN_COARSE_CORRELATION)) {
      toX = fromLevel(found.x, level)
      toY = fromLevel(found.y, level)
    } else if (level === 0) return false
  }
  forward.x = toX
  forward.y = toY
  if (found.correlation < MIN_CORRELATION) return false
  const back = align(now.levels[0]!, before.levels[0]!, toX, toY, x, y, 'fine')
  return back && Math.hypot(found.x - x, found.y - y) <= MAX_RETURN_PX
}

function toLevel(value: number, level: number): number {
  return (value + 0.5) / (1 << level) - 0.5
}

function fromLevel(value: number, level: number): number {
  return (value + 0.5) * (1 << level) - 0.5
}

/** One level, Gauss-Newton. False when the patch leaves the picture, has no corner, or wanders off. Writes `found`. */
function align(
  a: LumaView,
  b: LumaView,
  ax: number,
  ay: number,
  bx: number,
  by: number,
  detail: 'coarse' | 'fine',
): boolean {
  const radius = RADIUS[detail]
  const maxSteps = MAX_STEPS[detail]
  const side = 2 * radius + 1
  const area = side * side
  const column = Math.round(ax)
  const row = Math.round(ay)
  const reach = radius + 1
  if (column < reach || row < reach || column + reach >= a.width || row + reach >= a.height) return false
  let sum = 0
  let squares = 0
  let sumX = 0
  let sumY = 0
  let xx = 0
  let xy = 0
  let yy = 0
  let xValue = 0
  let yValue = 0
  for (let y = -radius, i = 0; y <= radius; y++) {
    let at = (row + y) * a.stride + column - radius
    for (let x = 0; x < side; x++, at++, i++) {
      const value = a.data[at]!
      const gx = 0.5 * (a.data[at + 1]! - a.data[at - 1]!)
      const gy = 0.5 * (a.data[at + a.stride]! - a.data[at - a.stride]!)
      patch[i] = value
      gradX[i] = gx
      gradY[i] = gy
      sum += value
      squares += value * value
      sumX += gx
      sumY += gy
      xx += gx * gx
      xy += gx * gy
      yy += gy * gy
      xValue += gx * value
      yValue += gy * value
    }
  }
  const meanX = sumX / area
  const meanY = sumY / area
  xx -= sumX * meanX
  xy -= sumX * meanY
  yy -= sumY * meanY
  xValue -= meanX * sum
  yValue -= meanY * sum
  const variance = squares - (sum * sum) / area
  const determinant = xx * yy - xy * xy
  const half = (xx + yy) / 2
  const least = half - Math.sqrt(Math.max(0, half * half - determinant))
  if (least < MIN_EIGENVALUE * area) return false

  // The template is around the nearest pixel, which moves as the point does.
  bx += column - ax
  by += row - ay
  const startX = bx
  const startY = by
  for (let step = 0; step < maxSteps; step++) {
    const x0 = Math.floor(bx)
    const y0 = Math.floor(by)
    if (x0 < radius || y0 < radius || x0 + radius + 1 >= b.width || y0 + radius + 1 >= b.height) return false
    const fx = bx - x0
    const fy = by - y0
    const w00 = (1 - fx) * (1 - fy)
    const w01 = fx * (1 - fy)
    const w10 = (1 - fx) * fy
    const w11 = fx * fy
    const { data, stride } = b
    let total = 0
    let totalSquares = 0
    let product = 0
    let gxValue = 0
    let gyValue = 0
    let i = 0
    for (let y = -radius; y <= radius; y++) {
      let at = (y0 + y) * stride + x0 - radius
      let upper = data[at]!
      let lower = data[at + stride]!
      for (let x = 0; x < side; x++, i++) {
        at++
        const upperRight = data[at]!
        const lowerRight = data[at + stride]!
        const value = w00 * upper + w01 * upperRight + w10 * lower + w11 * lowerRight
        upper = upperRight
        lower = lowerRight
        total += value
        totalSquares += value * value
        product += value * patch[i]!
        gxValue += value * gradX[i]!
        gyValue += value * gradY[i]!
      }
    }
    const spread = totalSquares - (total * total) / area
    if (spread <= 0) return false
    const gain = Math.sqrt(variance / spread)
    if (gain < GAIN.least || gain > GAIN.most) return false
    found.correlation = (product - (sum * total) / area) / Math.sqrt(variance * spread)
    const ex = xValue - gain * (gxValue - meanX * total)
    const ey = yValue - gain * (gyValue - meanY * total)
    const stepX = (yy * ex - xy * ey) / determinant
    const stepY = (xx * ey - xy * ex) / determinant
    bx += stepX
    by += stepY
    if (Math.abs(bx - startX) > radius || Math.abs(by - startY) > radius) return false
    if (stepX * stepX + stepY * stepY < CONVERGED_PX * CONVERGED_PX) break
  }
  found.x = bx + ax - column
  found.y = by + ay - row
  return true
}
