/**
 * The input of models that take square crops of one size only (embedders, liveness). Pure; runs in the engine host and its
 * inference thread.
 */
import { GrabberError } from '../core/errors.ts'
import type { ModelAdapter } from './adapter.ts'
import type { ModelEntry } from './model-entry.ts'
import { packer } from './tensor-pack.ts'

/** Everything of an adapter but its answer. Throws MDL_INVALID when the entry states no size. */
export function squareCropInput(entry: ModelEntry): Omit<ModelAdapter, 'unpack'> {
  const side = entry.input.fixedSidePx
  if (side === null) throw new GrabberError('MDL_INVALID', `the ${entry.kind} ${entry.id} states no crop size`)
  const pack = packer(entry.input)
  const size = { width: side, height: side }
  return {
    id: entry.id,
    warmUpSize: size,
    batchKey({ width, height }) {
      if (width !== side || height !== side) {
        throw new GrabberError('ENG_PROTOCOL', `${entry.id} takes ${side}×${side} crops, not ${width}×${height}`)
      }
      return `${side}`
    },
    pack: (pictures) => pack(pictures, size),
  }
}
