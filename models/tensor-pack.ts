/**
 * Planar 8-bit RGB into the float planes that a model's entry states: order of the colours, mean, scale. Runs in the
 * engine's inference thread.
 * Models that take pixels as they are get them by `Float32Array.set` from planar bytes into memory that is kept: 0.11 ms
 * at 640×384; into fresh memory 0.5 ms, and a loop over pixels 1.3 ms (docs/decisions.md). Others go through a table of 256
 * floats a plane.
 */
import type { RgbPicture } from '../core/frame.ts'
import type { Size } from '../core/geometry.ts'
import type { ModelEntry } from './model-entry.ts'

/** Eight pictures of 640×384 take 24 MB; a rare large batch is not kept. */
const MAX_KEPT_FLOATS = 8 * 1024 * 1024

export type PixelConvention = Pick<ModelEntry['input'], 'colour' | 'mean' | 'scale'>

/**
 * Pictures of one size ≤ `padded` as `[N,3,height,width]` float32, with black pixels right and below. What it returns is
 * valid until it is called again.
 */
export type Pack = (pictures: readonly RgbPicture[], padded: Size) => { data: Float32Array; dims: number[] }

/** A packer with memory of its own. */
export function packer({ colour, mean, scale }: PixelConvention): Pack {
  const tables = scale === 1 && mean.every((value) => value === 0) ? undefined : mean.map((one) => table(one, scale))
  const black = mean.map((value) => (0 - value) * scale)
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
      if (tables) fillPlanes(data, black, plane)
    } else if (layout !== keptLayout) {
      // Where this layout pads, another had pixels.
      if (tables) fillPlanes(kept, black, plane)
      else kept.fill(0)
    }
    if (data === kept) keptLayout = layout
    for (const [index, picture] of pictures.entries()) {
      for (let channel = 0; channel < 3; channel++) {
        const from = (colour === 'BGR' ? 2 - channel : channel) * width * height
        const to = (index * 3 + channel) * plane
        if (tables) mapPlane(picture, from, data, to, padded.width, tables[channel]!)
        else copyPlane(picture, from, data, to, padded.width)
      }
    }
    return { data: data.subarray(0, length), dims: [pictures.length, 3, padded.height, padded.width] }
  }
}

function table(mean: number, scale: number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, pixel) => (pixel - mean) * scale)
}

/** Every plane of the whole memory, so that a larger batch of the same layout finds it filled. */
function fillPlanes(target: Float32Array, values: readonly number[], plane: number): void {
  for (let at = 0, channel = 0; at < target.length; at += plane, channel = (channel + 1) % 3) {
    target.fill(values[channel]!, at, at + plane)
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

function mapPlane(
  { width, height, data }: RgbPicture,
  from: number,
  target: Float32Array,
  to: number,
  stride: number,
  values: Float32Array,
): void {
  for (let y = 0; y < height; y++) {
    const row = from + y * width
    const out = to + y * stride
    for (let x = 0; x < width; x++) target[out + x] = values[data[row + x]!]!
  }
}
