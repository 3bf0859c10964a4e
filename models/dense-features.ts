/**
 * Models of dense features: a picture in, how rich it is in different things out. Pure; runs in the engine's inference thread
 * (`viewFromResult` in session hosts). Two forms, stated by the entry's `patches`: a convolutional map `[N,D,h,w]` (XFeat; Potje et
 * al., CVPR 2024) and the tokens `[N,T,D]` of a vision transformer (DINO and its like; Caron et al., ICCV 2021).
 * Hundreds of descriptors are reduced to a few numbers here, next to the tensors: what crosses the socket is 1 kB.
 */
import { GrabberError } from '../core/errors.ts'
import type { InferResult } from '../core/ports.ts'
import type { ModelAdapter, ModelTensor } from './adapter.ts'
import { descriptorVariety } from './descriptor-variety.ts'
import type { ModelEntry } from './model-entry.ts'
import { wholePictureInput } from './whole-picture.ts'

/** Patches that are compared with each other, evenly spread: 2 ms for 64 numbers each, 12 ms for 384. */
const MAX_PATCHES = 256
/** Richness, effective rank, spread; the mean descriptor follows. */
const HEAD = 3

export interface DenseView {
  /** How much of different things there is, 0–1 (models/descriptor-variety). */
  richness: number
  effectiveRank: number
  spread: number
  /** Of the whole picture, L2-normalised: its cosine with another's says how alike two views are. */
  descriptor: Float32Array
}

/** Takes any picture up to 4096 px a side. Answers 1 × (3 + dimension). Throws MDL_INVALID when the entry states no patches. */
export function denseFeaturesAdapter(entry: ModelEntry): ModelAdapter {
  const { patches, dimension } = entry
  if (!patches || dimension === null) {
    throw new GrabberError('MDL_INVALID', `${entry.id} does not state its patches or its dimension`)
  }
  const { seenSize, paddedSize, ...input } = wholePictureInput(entry)
  return {
    ...input,
    unpack(outputs, index, picture) {
      const seen = seenSize(picture)
      const padded = paddedSize(seen)
      const columns = Math.floor(padded.width / patches.patchPx)
      const rows = Math.floor(padded.height / patches.patchPx)
      const grid = { columns, rows, index }
      // Patches whose middle is padding show none of the picture.
      const across = Math.min(columns, Math.max(1, Math.round(seen.width / patches.patchPx)))
      const down = Math.min(rows, Math.max(1, Math.round(seen.height / patches.patchPx)))
      const step = Math.max(1, Math.ceil(Math.sqrt((across * down) / MAX_PATCHES)))
      const cells: number[] = []
      for (let y = step >> 1; y < down; y += step) {
        for (let x = step >> 1; x < across; x += step) cells.push(y * columns + x)
      }
      const descriptors = takeDescriptors(outputs, patches, dimension, grid, cells)
      const weights = takeWeights(outputs, patches.weight, grid, cells)
      const { richness, effectiveRank, spread, mean } = descriptorVariety(descriptors, dimension, weights)
      const data = new Float32Array(HEAD + dimension)
      data.set([richness, effectiveRank, spread])
      data.set(mean, HEAD)
      return { rows: 1, columns: HEAD + dimension, data }
    },
  }
}

/** Throws ENG_PROTOCOL when it is not the answer of a model of dense features. */
export function viewFromResult({ rows, columns, data }: InferResult): DenseView {
  if (rows !== 1 || columns <= HEAD) {
    throw new GrabberError('ENG_PROTOCOL', `a view is 1 × (${HEAD} + dimension), not ${rows} × ${columns}`)
  }
  return { richness: data[0]!, effectiveRank: data[1]!, spread: data[2]!, descriptor: data.slice(HEAD) }
}

interface PatchGrid {
  columns: number
  rows: number
  /** Of the picture in its batch. */
  index: number
}

/** `[cells, dimension]`, fresh. */
function takeDescriptors(
  outputs: Record<string, ModelTensor>,
  { output, layout, skipTokens }: NonNullable<ModelEntry['patches']>,
  dimension: number,
  { columns, rows, index }: PatchGrid,
  cells: readonly number[],
): Float32Array {
  const plane = columns * rows
  const map = layout === 'map'
  const wanted = map ? [dimension, rows, columns] : [skipTokens + plane, dimension]
  const { data } = tensorOf(outputs, output, wanted)
  const from = index * wanted.reduce((product, size) => product * size, 1) + (map ? 0 : skipTokens * dimension)
  const [patchStep, numberStep] = map ? [1, plane] : [dimension, 1]
  const taken = new Float32Array(cells.length * dimension)
  for (const [n, cell] of cells.entries()) {
    const start = from + cell * patchStep
    for (let k = 0; k < dimension; k++) taken[n * dimension + k] = data[start + k * numberStep]!
  }
  return taken
}

/** All 1 where the model says nothing about how much a patch is worth. */
function takeWeights(
  outputs: Record<string, ModelTensor>,
  output: string | null,
  { columns, rows, index }: PatchGrid,
  cells: readonly number[],
): Float32Array {
  if (output === null) return new Float32Array(cells.length).fill(1)
  const { data } = tensorOf(outputs, output, [1, rows, columns])
  return Float32Array.from(cells, (cell) => Math.max(0, data[index * columns * rows + cell]!))
}

/** The output whose dimensions after the batch are `wanted`. */
function tensorOf(outputs: Record<string, ModelTensor>, name: string, wanted: readonly number[]): ModelTensor {
  const tensor = outputs[name]
  const [, ...dims] = tensor?.dims ?? []
  if (tensor === undefined || dims.length !== wanted.length || dims.some((size, n) => size !== wanted[n])) {
    throw new Error(`the output ${name} is [N,${dims.join(',')}], not [N,${wanted.join(',')}]`)
  }
  return tensor
}
