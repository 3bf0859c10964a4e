/**
 * Plane geometry on plain numbers. Pure; runs anywhere.
 * Axis convention: x to the right, y down, origin at the picture's top-left corner, units px unless said.
 */

export interface Size {
  width: number
  height: number
}

export interface Point {
  x: number
  y: number
}

/** Axis-aligned box: top-left corner and size. */
export interface Box {
  x: number
  y: number
  width: number
  height: number
}

/** `[a, b, tx, c, d, ty]`: maps (x, y) to (a·x + b·y + tx, c·x + d·y + ty). */
export type Affine = readonly [number, number, number, number, number, number]

export function applyAffine(m: Affine, p: Point): Point {
  return { x: m[0] * p.x + m[1] * p.y + m[2], y: m[3] * p.x + m[4] * p.y + m[5] }
}

/** `outer ∘ inner`: first `inner`, then `outer`. */
export function composeAffine(outer: Affine, inner: Affine): Affine {
  return [
    outer[0] * inner[0] + outer[1] * inner[3],
    outer[0] * inner[1] + outer[1] * inner[4],
    outer[0] * inner[2] + outer[1] * inner[5] + outer[2],
    outer[3] * inner[0] + outer[4] * inner[3],
    outer[3] * inner[1] + outer[4] * inner[4],
    outer[3] * inner[2] + outer[4] * inner[5] + outer[5],
  ]
}

/** Inverse of an affine map; `undefined` when it is singular (determinant below 1e-12). */
export function invertAffine(m: Affine): Affine | undefined {
  const det = m[0] * m[4] - m[1] * m[3]
  if (Math.abs(det) < 1e-12) return undefined
  const [a, b, c, d] = [m[4] / det, -m[1] / det, -m[3] / det, m[0] / det]
  return [a, b, -(a * m[2] + b * m[5]), c, d, -(c * m[2] + d * m[5])]
}

/** Intersection over union, 0–1. */
export function iou(a: Box, b: Box): number {
  const w = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)
  const h = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y)
  if (w <= 0 || h <= 0) return 0
  const inter = w * h
  return inter / (a.width * a.height + b.width * b.height - inter)
}

export function scaleBox(box: Box, sx: number, sy: number): Box {
  return { x: box.x * sx, y: box.y * sy, width: box.width * sx, height: box.height * sy }
}

/** The part of `box` inside `[0, width) × [0, height)`. */
export function clipBox(box: Box, { width, height }: Size): Box {
  const x = Math.max(0, box.x)
  const y = Math.max(0, box.y)
  return {
    x,
    y,
    width: Math.max(0, Math.min(width, box.x + box.width) - x),
    height: Math.max(0, Math.min(height, box.y + box.height) - y),
  }
}
