/**
 * A vision transformer of one block, untrained, that stands in for DINO and its like: patch embedding, class and register tokens, one
 * attention head, residual, layer norm; `[N,3,H,W]` in, `[N,skip + patches,D]` out. Written by hand, so that nothing has to be installed.
 * Random projections are enough here: patches that look alike get descriptors that are alike, and that is what is tested.
 */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EngineModelSpec } from '../../../core/wire/engine-control.ts'
import { findModel, type ModelEntry } from '../../../models/manifest.ts'
import { ElementType, type GraphConstant, type GraphNode, onnxGraph } from '../../../script/benchmarks/onnx-graph.ts'

export const VIT = { patchPx: 14, dimension: 48, skipTokens: 5 } as const

/** What its entry in a manifest would say besides file, hash and licence: the form for any such network (docs/models.md). */
export function vitEntry(fixedSidePx: number | null): Omit<ModelEntry, 'id' | 'file' | 'sha256' | 'bytes'> {
  const { patchPx, dimension, skipTokens } = VIT
  return {
    ...findModel('xfeat'),
    aliases: [],
    input: {
      shape: '[N,3,H,W]',
      dtype: 'float32',
      colour: 'RGB',
      mean: [123.675, 116.28, 103.53],
      scale: 1 / 57.4,
      multipleOfPx: patchPx,
      padding: 'right and bottom',
      fixedSidePx,
      maxBatch: null,
    },
    patches: { output: 'tokens', layout: 'tokens', patchPx, skipTokens, weight: null },
    output: 'tokens [N,5 + patches,48]: a class token and four registers, then the patches by rows',
    dimension,
  }
}

/** Writes the network into `folder` and says what an engine has to be told to serve it as `id`. */
export function standInVit(folder: string, id: string, fixedSidePx: number | null = null): EngineModelSpec {
  const graph = vitGraph(fixedSidePx)
  const file = `${id}.onnx`
  const path = join(folder, file)
  writeFileSync(path, graph)
  const sha256 = createHash('sha256').update(graph).digest('hex')
  return { id, path, entry: { ...vitEntry(fixedSidePx), id, file, sha256, bytes: graph.byteLength } }
}

function vitGraph(side: number | null): Uint8Array {
  const { patchPx, dimension: d, skipTokens } = VIT
  const nodes: GraphNode[] = [
    {
      op: 'Conv',
      inputs: ['in', 'embedding'],
      output: 'map',
      attributes: { kernel_shape: [patchPx, patchPx], strides: [patchPx, patchPx] },
    },
    { op: 'Reshape', inputs: ['map', 'rows'], output: 'flat' },
    { op: 'Transpose', inputs: ['flat'], output: 'patches', attributes: { perm: [0, 2, 1] } },
    { op: 'Pad', inputs: ['patches', 'before'], output: 'padded' },
    { op: 'Add', inputs: ['padded', 'bias'], output: 'x' },
    { op: 'MatMul', inputs: ['x', 'query'], output: 'q' },
    { op: 'MatMul', inputs: ['x', 'key'], output: 'k' },
    { op: 'MatMul', inputs: ['x', 'value'], output: 'v' },
    { op: 'Transpose', inputs: ['k'], output: 'kt', attributes: { perm: [0, 2, 1] } },
    { op: 'MatMul', inputs: ['q', 'kt'], output: 'scores' },
    { op: 'Softmax', inputs: ['scores'], output: 'attention', attributes: { axis: -1 } },
    { op: 'MatMul', inputs: ['attention', 'v'], output: 'mixed' },
    { op: 'Add', inputs: ['x', 'mixed'], output: 'y' },
    { op: 'LayerNormalization', inputs: ['y', 'gain', 'shift'], output: 'tokens' },
  ]
  const random = numbers(20210429)
  const matrix = (...dims: number[]): GraphConstant => {
    const fanIn = dims.length === 4 ? dims[1]! * dims[2]! * dims[3]! : dims[0]!
    const length = dims.reduce((product, size) => product * size, 1)
    return { dims, values: Float32Array.from({ length }, () => random() / Math.sqrt(fanIn)) }
  }
  const shape = side ?? undefined
  return onnxGraph(
    { name: 'in', type: ElementType.float, dims: ['N', 3, shape ?? 'H', shape ?? 'W'] },
    nodes,
    { name: 'tokens', type: ElementType.float, dims: ['N', 'T', d] },
    {
      embedding: matrix(d, 3, patchPx, patchPx),
      rows: [0, d, -1],
      before: [0, skipTokens, 0, 0, 0, 0],
      bias: Float32Array.from({ length: d }, () => random() / 4),
      query: matrix(d, d),
      key: matrix(d, d),
      value: matrix(d, d),
      gain: new Float32Array(d).fill(1),
      shift: new Float32Array(d),
    },
  )
}

/** Nearly normal, the same each time. */
function numbers(seed: number): () => number {
  let state = seed
  const uniform = () => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  return () => (uniform() + uniform() + uniform() - 1.5) * 2
}
