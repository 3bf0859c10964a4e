/**
 * Embedders of a few hundred bytes that do what a test needs: the embedding is the mean of each colour plane (B, G, R), or
 * something worse. Written by hand, so that nothing has to be installed to make them.
 */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RgbPicture } from '../../../core/frame.ts'
import type { EngineModelSpec } from '../../../core/wire/engine-control.ts'
import { findModel, type ModelEntry } from '../../../models/manifest.ts'
import { ElementType, type GraphNode, onnxGraph } from '../../../script/benchmarks/onnx-graph.ts'

export const TINY_SIDE_PX = 16

const steps = {
  /** The mean. */
  mean: ['Flatten'],
  /** The mean's opposite: another version of the same model. */
  opposite: ['Neg', 'Flatten'],
  /** Not a number for a plane darker than 64; the grey picture of the warm-up is brighter. */
  'nan-when-dark': ['Sub', 'Sqrt', 'Flatten'],
  /** Never a number. */
  nan: ['Neg', 'Sqrt', 'Flatten'],
  /** One row, whatever the batch. */
  'one-row': ['Reshape'],
} as const satisfies Record<string, readonly GraphNode['op'][]>

export type TinyKind = keyof typeof steps

/** Writes the model into `folder` and says what an engine has to be told to serve it as `id`. `maxBatch` is the file's batch. */
export function tinyModel(folder: string, id: string, kind: TinyKind, maxBatch: number | null = null): EngineModelSpec {
  const graph = tinyGraph(kind, maxBatch)
  const file = `${id}-${kind}.onnx`
  const path = join(folder, file)
  writeFileSync(path, graph)
  const like = findModel('face-reid-0095')
  const entry: ModelEntry = {
    ...like,
    id,
    file,
    sha256: createHash('sha256').update(graph).digest('hex'),
    bytes: graph.byteLength,
    input: { ...like.input, maxBatch, fixedSidePx: TINY_SIDE_PX, shape: `[N,3,${TINY_SIDE_PX},${TINY_SIDE_PX}]` },
    alignment: { ...like.alignment!, cropPx: TINY_SIDE_PX },
    dimension: 3,
  }
  return { id, path, entry }
}

/** A picture for it, of one colour. */
export function plain(red: number, green: number, blue: number): RgbPicture {
  const plane = TINY_SIDE_PX * TINY_SIDE_PX
  const data = new Uint8Array(3 * plane)
  for (const [index, value] of [red, green, blue].entries()) data.fill(value, index * plane, (index + 1) * plane)
  return { width: TINY_SIDE_PX, height: TINY_SIDE_PX, data }
}

function tinyGraph(kind: TinyKind, batch: number | null): Uint8Array {
  const nodes: GraphNode[] = [{ op: 'GlobalAveragePool', inputs: ['in'], output: 'mean' }]
  for (const op of steps[kind]) {
    const from = nodes.at(-1)!.output
    const second = op === 'Sub' ? ['dark'] : op === 'Reshape' ? ['row'] : []
    nodes.push({ op, inputs: [from, ...second], output: `${from}-${op}` })
  }
  nodes.at(-1)!.output = 'out'
  const input = { name: 'in', type: ElementType.float, dims: [batch ?? 'N', 3, TINY_SIDE_PX, TINY_SIDE_PX] }
  const output = { name: 'out', type: ElementType.float, dims: ['M', 'D'] }
  const constants = { dark: Float32Array.of(64), row: [1, -1] }
  const used = Object.entries(constants).filter(([name]) => nodes.some(({ inputs }) => inputs.includes(name)))
  return onnxGraph(input, nodes, output, Object.fromEntries(used))
}
