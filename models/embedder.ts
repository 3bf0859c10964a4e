/**
 * Face embedders: an aligned crop in, a unit vector out. Pure; runs in the engine's inference thread.
 */
import type { ModelAdapter } from './adapter.ts'
import type { ModelEntry } from './model-entry.ts'
import { squareCropInput } from './square-crop.ts'

/** Takes the aligned crop of the manifest's size only. Answers 1 × dimensions, L2-normalised. */
export function embedderAdapter(entry: ModelEntry): ModelAdapter {
  return {
    ...squareCropInput(entry),
    unpack(outputs, index) {
      const output = Object.values(outputs)[0]
      const columns = output?.dims[1]
      if (output === undefined || columns === undefined) throw new Error('the model has no output of two dimensions')
      return { rows: 1, columns, data: normalised(output.data.subarray(index * columns, (index + 1) * columns)) }
    },
  }
}

/** Summed in float64: the norm must not depend on how the numbers happen to round. */
function normalised(vector: Float32Array): Float32Array {
  let squares = 0
  for (const value of vector) squares += value * value
  const norm = Math.sqrt(squares)
  if (!(norm > 0 && Number.isFinite(norm))) throw new Error('an embedding has no finite length')
  return vector.map((value) => value / norm)
}
