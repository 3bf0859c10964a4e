/**
 * Makes a picture smaller by averaging the area that each new pixel covers. Pure; runs in the engine's inference thread,
 * for models whose only picture size is smaller than what they were sent. 1280×960 to 640×480 takes 20 to 30 ms; a
 * camera's analysis picture needs none of it.
 */
import type { RgbPicture } from '../core/frame.ts'
import type { Size } from '../core/geometry.ts'

/** The size with both sides at most `sidePx` and the same aspect; a picture is never enlarged. */
export function sizeWithin({ width, height }: Size, sidePx: number): Size {
  const factor = Math.min(1, sidePx / Math.max(width, height))
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) }
}

/** A fresh picture of `size`, which is no larger than the picture in either direction. */
export function shrink(picture: RgbPicture, size: Size): RgbPicture {
  const { width, height, data } = picture
  const across = spans(width, size.width)
  const down = spans(height, size.height)
  const out = new Uint8Array(3 * size.width * size.height)
  const narrow = new Float32Array(size.width * height)
  for (let channel = 0; channel < 3; channel++) {
    const plane = data.subarray(channel * width * height, (channel + 1) * width * height)
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < size.width; x++) {
        const { from, weights } = across[x]!
        let sum = 0
        for (let i = 0; i < weights.length; i++) sum += plane[y * width + from + i]! * weights[i]!
        narrow[y * size.width + x] = sum
      }
    }
    const target = channel * size.width * size.height
    for (let y = 0; y < size.height; y++) {
      const { from, weights } = down[y]!
      for (let x = 0; x < size.width; x++) {
        let sum = 0
        for (let i = 0; i < weights.length; i++) sum += narrow[(from + i) * size.width + x]! * weights[i]!
        out[target + y * size.width + x] = Math.floor(sum + 0.5)
      }
    }
  }
  return { ...size, data: out }
}

interface Span {
  from: number
  /** Share of each old pixel in the new one; they sum to 1. */
  weights: number[]
}

function spans(before: number, after: number): Span[] {
  const ratio = before / after
  return Array.from({ length: after }, (_, n) => {
    const [start, end] = [n * ratio, (n + 1) * ratio]
    const from = Math.floor(start)
    // An end that is a whole number but for rounding must not reach into a pixel that is not there.
    const to = Math.min(before, Math.ceil(end - 1e-9))
    const weights = Array.from({ length: to - from }, (_unused, i) => {
      const covered = Math.min(end, from + i + 1) - Math.max(start, from + i)
      return covered / ratio
    })
    return { from, weights }
  })
}
