/**
 * Matches of two views made of a known world, for tests.
 */

import type { Matches } from '../../../../../streams/analysis/two-view/matches.ts'
import { randomOf } from '../../../../support/seeded-random.ts'

export const SIZE = { width: 640, height: 360 }
export const FOCAL_PX = 500

export interface World {
  /** Depth of what a ray (x, y, 1) of the first camera meets, m; `random` is in [0, 1). */
  depth: (x: number, y: number, random: () => number) => number
  /** Of the second camera against the first: about the vertical, radians; where it stands, m. */
  yaw: number
  centre: readonly [number, number, number]
}

export const turn: World = { depth: (_x, _y, random) => 3 + 6 * random(), yaw: 0.1, centre: [0, 0, 0] }
export const wall: World = { depth: (x) => 5 / (1 + 0.2 * x), yaw: 0.03, centre: [0.5, 0, 0.1] }
export const depths: World = { depth: (_x, _y, random) => 3 + 6 * random(), yaw: 0.05, centre: [0.4, 0.05, 0.1] }

/** `outliers`: share of the matches that lead anywhere, the first ones. */
export function correspondences(world: World, count: number, noisePx: number, outliers: number, seed: number): Matches {
  const random = randomOf(seed)
  const gauss = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const column = () => new Float64Array(count)
  const matches = { count, x1: column(), y1: column(), x2: column(), y2: column() }
  const [cos, sin] = [Math.cos(world.yaw), Math.sin(world.yaw)]
  for (let i = 0; i < count; ) {
    const [px, py] = [random() * SIZE.width, random() * SIZE.height]
    const [u, v] = [(px - 319.5) / FOCAL_PX, (py - 179.5) / FOCAL_PX]
    const z = world.depth(u, v, random)
    const [x, y, ahead] = [u * z - world.centre[0], v * z - world.centre[1], z - world.centre[2]]
    const depth = sin * x + cos * ahead
    const qx = (FOCAL_PX * (cos * x - sin * ahead)) / depth + 319.5
    const qy = (FOCAL_PX * y) / depth + 179.5
    if (depth <= 0 || qx < 0 || qx >= SIZE.width || qy < 0 || qy >= SIZE.height) continue
    const isWrong = i < outliers * count
    matches.x1[i] = px + noisePx * gauss()
    matches.y1[i] = py + noisePx * gauss()
    matches.x2[i] = isWrong ? random() * SIZE.width : qx + noisePx * gauss()
    matches.y2[i++] = isWrong ? random() * SIZE.height : qy + noisePx * gauss()
  }
  return matches
}

/** Rows of [x1, y1, x2, y2]. */
export function matchesOf(rows: readonly (readonly number[])[]): Matches {
  const column = (k: number) => Float64Array.from(rows, (row) => row[k]!)
  return { count: rows.length, x1: column(0), y1: column(1), x2: column(2), y2: column(3) }
}

/** Norm 1, the largest entry positive: the same for all multiples of a matrix. */
export function canonical(m: Float64Array): number[] {
  const largest = m.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a))
  const length = Math.hypot(...m) * Math.sign(largest)
  return Array.from(m, (value) => value / length)
}
