/**
 * Face alignment: the similarity that lays five landmarks onto a template, and the crop it describes. Pure; runs in
 * session hosts, where the full-resolution picture is.
 * Pixel convention: integer coordinates are pixel centres (as OpenCV's warpAffine has it), so the picture's top-left
 * pixel lies at (0, 0) and its area spans −0.5 … width − 0.5. Landmarks of the detector are used as they come.
 */
import { GrabberError } from '../core/errors.ts'
import type { RgbPicture } from '../core/frame.ts'
import type { Affine, Point } from '../core/geometry.ts'

/**
 * Least-squares similarity (rotation, uniform scale, translation; never a reflection) that maps `from` onto `to`.
 * Umeyama, "Least-squares estimation of transformation parameters between two point patterns", PAMI 1991; in the plane,
 * with points as complex numbers, his solution is z = Σ conj(p)·q ÷ Σ|p|² about the centroids.
 * Throws ENG_POISON when all points of `from` coincide: no crop can be made of them.
 */
export function similarityTransform(from: readonly Point[], to: readonly Point[]): Affine {
  if (from.length !== to.length || from.length < 2) throw new RangeError('needs two lists of equal length, at least 2')
  const p0 = centroid(from)
  const q0 = centroid(to)
  let spread = 0
  let real = 0
  let imaginary = 0
  for (let i = 0; i < from.length; i++) {
    const [px, py] = [from[i]!.x - p0.x, from[i]!.y - p0.y]
    const [qx, qy] = [to[i]!.x - q0.x, to[i]!.y - q0.y]
    spread += px * px + py * py
    real += px * qx + py * qy
    imaginary += px * qy - py * qx
  }
  if (!(spread > 1e-12)) throw new GrabberError('ENG_POISON', 'the landmarks of a face coincide')
  const [a, b] = [real / spread, imaginary / spread]
  return [a, -b, q0.x - a * p0.x + b * p0.y, b, a, q0.y - b * p0.x - a * p0.y]
}

/** The template's points in px of a square crop of side `cropPx`; `template` holds fractions of the side. */
export function templatePoints(template: readonly (readonly [number, number])[], cropPx: number): Point[] {
  return template.map(([x, y]) => ({ x: x * cropPx, y: y * cropPx }))
}

/**
 * A square crop of side `sizePx`: pixel (x, y) of the crop is the picture at `cropToPicture`·(x, y), bilinear, the edge
 * pixels going on for ever outside. The result is a fresh picture, owned by the caller.
 */
export function warpRgb(picture: RgbPicture, cropToPicture: Affine, sizePx: number): RgbPicture {
  const { width, height, data } = picture
  const [a, b, tx, c, d, ty] = cropToPicture
  const plane = width * height
  const cropPlane = sizePx * sizePx
  const crop = new Uint8Array(3 * cropPlane)
  for (let y = 0; y < sizePx; y++) {
    for (let x = 0; x < sizePx; x++) {
      const sx = clamp(a * x + b * y + tx, width - 1)
      const sy = clamp(c * x + d * y + ty, height - 1)
      const x0 = Math.floor(sx)
      const y0 = Math.floor(sy)
      const fx = sx - x0
      const fy = sy - y0
      const right = x0 < width - 1 ? 1 : 0
      const below = y0 < height - 1 ? width : 0
      let at = y0 * width + x0
      let out = y * sizePx + x
      for (let channel = 0; channel < 3; channel++) {
        const top = data[at]! + (data[at + right]! - data[at]!) * fx
        const bottom = data[at + below]! + (data[at + below + right]! - data[at + below]!) * fx
        crop[out] = Math.floor(top + (bottom - top) * fy + 0.5)
        at += plane
        out += cropPlane
      }
    }
  }
  return { width: sizePx, height: sizePx, data: crop }
}

function clamp(value: number, max: number): number {
  return Math.max(0, Math.min(max, value))
}

function centroid(points: readonly Point[]): Point {
  let [x, y] = [0, 0]
  for (const point of points) {
    x += point.x
    y += point.y
  }
  return { x: x / points.length, y: y / points.length }
}
