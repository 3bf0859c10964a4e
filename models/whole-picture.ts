/**
 * The input of models that look at whole pictures of any size: padded to what the network's strides divide, or made to fit a
 * file of one fixed size. Pure; runs in the engine host and its inference thread.
 */
import { GrabberError } from '../core/errors.ts'
import type { Size } from '../core/geometry.ts'
import type { ModelAdapter } from './adapter.ts'
import type { ModelEntry } from './model-entry.ts'
import { shrink, sizeWithin } from './shrink.ts'
import { packer } from './tensor-pack.ts'

/** A picture's side, px, as in core/wire/framing; larger ones are scaled down by the session host. */
const MAX_SIDE_PX = 4096

export interface WholePictureInput extends Omit<ModelAdapter, 'unpack'> {
  /** Of the picture inside the tensor: smaller than what came when the file's one size is smaller. */
  seenSize(picture: Size): Size
  /** Of the tensor; what is right of and below the picture is black. */
  paddedSize(picture: Size): Size
}

/** Everything of an adapter but its answer. A picture is never enlarged. */
export function wholePictureInput(entry: ModelEntry): WholePictureInput {
  const { multipleOfPx: multiple, fixedSidePx: fixed } = entry.input
  const pack = packer(entry.input)
  const pad = (px: number) => Math.ceil(px / multiple) * multiple
  const seenSize = ({ width, height }: Size): Size =>
    fixed === null ? { width, height } : sizeWithin({ width, height }, fixed)
  const paddedSize = ({ width, height }: Size): Size =>
    fixed === null ? { width: pad(width), height: pad(height) } : { width: fixed, height: fixed }
  return {
    id: entry.id,
    warmUpSize: { width: 640, height: 360 },
    seenSize,
    paddedSize,
    batchKey({ width, height }) {
      if (width > MAX_SIDE_PX || height > MAX_SIDE_PX) {
        throw new GrabberError(
          'ENG_PROTOCOL',
          `${entry.id} takes at most ${MAX_SIDE_PX} px a side, not ${width}×${height}`,
        )
      }
      return `${width}x${height}`
    },
    pack(pictures) {
      const size = seenSize(pictures[0]!)
      const { width, height } = pictures[0]!
      const fits = size.width === width && size.height === height
      return pack(fits ? pictures : pictures.map((picture) => shrink(picture, size)), paddedSize(size))
    },
  }
}
