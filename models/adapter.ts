/**
 * The seam between pictures and a model's tensors: one adapter for each kind of model. Pure; runs in the engine's
 * inference thread, next to the tensors (and `batchKey` in the engine's I/O thread).
 */
import type { RgbPicture } from '../core/frame.ts'
import type { Size } from '../core/geometry.ts'
import type { InferResult } from '../core/ports.ts'
import type { InferParams } from '../core/wire/engine.ts'

export interface ModelTensor {
  data: Float32Array
  dims: readonly number[]
}

export interface ModelAdapter {
  readonly id: string
  /** Size of the picture that a new session is tried with before the engine calls itself ready. */
  readonly warmUpSize: Size
  /** Pictures of one key may share a batch. Throws ENG_PROTOCOL for a picture that the model cannot take. */
  batchKey(size: Size): string
  /** `[N,3,H,W]` float32 of pictures that have one key; valid until the next call. */
  pack(pictures: readonly RgbPicture[]): { data: Float32Array; dims: number[] }
  /** What the `index`-th picture of the batch gives; `data` is fresh. Throws when the output is not usable. */
  unpack(outputs: Record<string, ModelTensor>, index: number, picture: Size, params: InferParams): InferResult
}
