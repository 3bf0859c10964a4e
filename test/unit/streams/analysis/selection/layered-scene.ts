/**
 * A small world for tests of selection: textured walls one behind the other, seen by a camera that moves and turns. The picture
 * is made ray by ray, so that parallax, occlusion and rotation are those of a real pinhole camera.
 */

import type { LumaView } from '../../../../../core/frame.ts'
import type { Size } from '../../../../../core/geometry.ts'
import { randomOf } from '../../../../support/seeded-random.ts'

export const SIZE: Size = { width: 320, height: 180 }
/** px; 65° across. */
export const FOCAL_PX = 250

/** m and radians; x to the right, y down, z ahead. */
export interface Pose {
  x?: number
  y?: number
  z?: number
  yaw?: number
  pitch?: number
}

interface Wall {
  depth: number
  /** Share of it that is there; the rest is looked through. */
  cover: number
  /** Of the pattern's cells, m. */
  cell: number
  /** `[256, 256]` values 0–255, repeated without an end: what it looks like, and where it is. */
  pattern: Float32Array
  mask: Float32Array
}

const TILE = 256
const tiles = new Map<number, Float32Array>()

function wall(depth: number, cover: number, cell: number, salt: number): Wall {
  return { depth, cover, cell, pattern: tile(salt), mask: tile(salt + 50) }
}

function tile(salt: number): Float32Array {
  const known = tiles.get(salt)
  if (known) return known
  const random = randomOf(salt * 7919 + 13)
  const made = Float32Array.from({ length: TILE * TILE }, () => 255 * random())
  tiles.set(salt, made)
  return made
}

/** A room of three walls of patches at 3, 5 and 9 m; `salt` gives another one. */
export function layers(salt = 1): Wall[] {
  return [wall(3, 0.42, 0.03, salt), wall(5, 0.52, 0.05, salt + 1), wall(9, 1, 0.09, salt + 2)]
}

/** One wall at 5 m. */
export function plane(salt = 1): Wall[] {
  return [wall(5, 1, 0.05, salt)]
}

export interface Exposure {
  gain?: number
  /** Standard deviation, grey levels. */
  noise?: number
  seed?: number
}

/** The mean of what is seen from `poses`: several are a blurred picture. */
export function renderPicture(walls: readonly Wall[], poses: readonly Pose[], exposure: Exposure = {}): LumaView {
  const { width, height } = SIZE
  const sums = new Float32Array(width * height)
  for (const pose of poses) addView(sums, walls, pose)
  const random = randomOf(exposure.seed ?? 1)
  const noise = exposure.noise ?? 0
  const data = new Uint8Array(width * height)
  for (let i = 0; i < data.length; i++) {
    // A sum of three is near enough to a bell.
    const grain = noise === 0 ? 0 : noise * 2 * (random() + random() + random() - 1.5)
    data[i] = Math.max(0, Math.min(255, Math.round((sums[i]! / poses.length) * (exposure.gain ?? 1) + grain)))
  }
  return { data, width, height, stride: width }
}

function addView(sums: Float32Array, walls: readonly Wall[], pose: Pose): void {
  const { width, height } = SIZE
  const [sinYaw, cosYaw] = [Math.sin(pose.yaw ?? 0), Math.cos(pose.yaw ?? 0)]
  const [sinPitch, cosPitch] = [Math.sin(pose.pitch ?? 0), Math.cos(pose.pitch ?? 0)]
  for (let row = 0, at = 0; row < height; row++) {
    const v = (row - (height - 1) / 2) / FOCAL_PX
    for (let column = 0; column < width; column++, at++) {
      const u = (column - (width - 1) / 2) / FOCAL_PX
      const y = v * cosPitch - sinPitch
      const ahead = v * sinPitch + cosPitch
      const dx = u * cosYaw + ahead * sinYaw
      const dz = ahead * cosYaw - u * sinYaw
      sums[at] = sums[at]! + trace(walls, pose, dx, y, dz)
    }
  }
}

function trace(walls: readonly Wall[], pose: Pose, dx: number, dy: number, dz: number): number {
  for (const { depth, cell, cover, mask, pattern } of walls) {
    const reach = (depth - (pose.z ?? 0)) / Math.max(0.05, dz)
    if (reach <= 0) continue
    const x = ((pose.x ?? 0) + dx * reach) / cell
    const y = ((pose.y ?? 0) + dy * reach) / cell
    if (cover < 1 && look(mask, x / 12, y / 12) > 255 * cover) continue
    return 30 + 0.4 * look(pattern, x, y) + 0.4 * look(pattern, x / 5, y / 5)
  }
  return 128
}

/** Bilinear. */
function look(values: Float32Array, x: number, y: number): number {
  const column = Math.floor(x)
  const row = Math.floor(y)
  const fx = x - column
  const fy = y - row
  const left = column & (TILE - 1)
  const right = (column + 1) & (TILE - 1)
  const top = (row & (TILE - 1)) * TILE
  const bottom = ((row + 1) & (TILE - 1)) * TILE
  const upper = values[top + left]! * (1 - fx) + values[top + right]! * fx
  const lower = values[bottom + left]! * (1 - fx) + values[bottom + right]! * fx
  return upper * (1 - fy) + lower * fy
}
