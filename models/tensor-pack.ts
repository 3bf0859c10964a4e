/**
 * Planar 8-bit RGB into float planes in the order B, G, R. Runs in the engine's inference thread.
 * `Float32Array.set` from planar bytes into memory that is kept costs 0.11 ms at 640×384; into fresh memory 0.5 ms, and a
 * loop over pixels 1.3 ms (docs/decisions.md).
 */
import type { RgbPicture } from '../core/frame.ts'
import type { Size } from '../core/geometry.ts'

/** Eight pictures of 640×384 take 24 MB; a rare large batch is not kept. */
const MAX_KEPT_FLOATS = 8 * 1024 * 1024

export type PackBgr = (pictures: readonly RgbPicture[], padded: Size) => { data: Float32Array; dims: number[] }

/**
 * A function that packs pictures of one size ≤ `padded` into `[N,3,height,width]` float32, BGR, 0–255, with zeros right
 * and below. What it returns is valid until it is called again.
 */
export function bgrPacker(): PackBgr {
  let kept = new Float32Array(0)
  let keptLayout = ''
  return (pictures, padded) => {
    const { width, height } = pictures[0]!
    const plane = padded.width * padded.height
    const length = pictures.length * 3 * plane
    const layout = `${width}x${height}/${padded.width}x${padded.height}`
    let data = kept
    if (length > kept.length) {
      data = new Float32Array(length)
      if (length <= MAX_KEPT_FLOATS) kept = data
    } else if (layout !== keptLayout) {
      // Where this layout pads, another had pixels.
      kept.fill(0)
    }
    if (data === kept) keptLayout = layout
    for (const [index, picture] of pictures.entries()) {
      for (let channel = 0; channel < 3; channel++) {
        const from = (2 - channel) * width * height
        copyPlane(picture, from, data, (index * 3 + channel) * plane, padded.width)
      }
    }
    return { data: data.subarray(0, length), dims: [pictures.length, 3, padded.height, padded.width] }
  }
}

function copyPlane(picture: RgbPicture, from: number, target: Float32Array, to: number, stride: number): void {
  const { width, height, data } = picture
  if (width === stride) {
    target.set(data.subarray(from, from + width * height), to)
    return
  }
  for (let y = 0; y < height; y++) {
    target.set(data.subarray(from + y * width, from + (y + 1) * width), to + y * stride)
  }
}
