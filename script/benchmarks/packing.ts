/**
 * `script/bench packing`: what it costs to make the detector's float planes from 8-bit pictures, in JavaScript and inside
 * the ONNX graph. Runs in a process of its own, on one thread. The graphs hold the packing steps and nothing else; what
 * starting a run costs is measured by a graph that does nothing, and taken off.
 */
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { packer } from '../../models/tensor-pack.ts'
import { table } from '../../src/cli/table.ts'
import { type BenchContext, type BenchResult, costOf, figure } from './kit.ts'
import { ElementType, type GraphNode, onnxGraph } from './onnx-graph.ts'

const RUNS = 300
const WARM_UP_RUNS = 20
const PICTURE = { width: 640, height: 360 }
const PADDED = { width: 640, height: 384 }
const PADDING = { pads: [0, 0, 0, 0, 0, 0, PADDED.height - PICTURE.height, 0] }

const planar = [1, 3, PICTURE.height, PICTURE.width]
const interleaved = [1, PICTURE.height, PICTURE.width, 3]
const padded = [1, 3, PADDED.height, PADDED.width]

const swap: GraphNode = { op: 'Gather', inputs: ['in', 'bgr'], output: 'swapped', attributes: { axis: 1 } }
const pad: GraphNode = { op: 'Pad', inputs: ['swapped', 'pads'], output: 'padded' }
const cast: GraphNode = { op: 'Cast', inputs: ['padded'], output: 'out', attributes: { to: ElementType.float } }
const turn: GraphNode = { op: 'Transpose', inputs: ['in'], output: 'turned', attributes: { perm: [0, 3, 1, 2] } }

export async function benchPacking(_: BenchContext): Promise<BenchResult> {
  const data = Uint8Array.from({ length: 3 * PICTURE.width * PICTURE.height }, (_, index) => (index * 31) & 255)
  const pack = packer({ colour: 'BGR', mean: [0, 0, 0], scale: 1 })
  const script = await cpuMs(async () => void pack([{ ...PICTURE, data }], PADDED))
  const nothing = await graphMs(
    [{ op: 'Identity', inputs: ['in'], output: 'out' }],
    data,
    planar,
    planar,
    ElementType.uint8,
  )
  const inGraph = await graphMs([swap, pad, cast], data, planar, padded, ElementType.float)
  const turned = { ...swap, inputs: ['turned', 'bgr'] }
  const fromPixels = await graphMs([turn, turned, pad, cast], data, interleaved, padded, ElementType.float)
  const report = {
    bench: 'packing',
    picture: PICTURE,
    padded: PADDED,
    javaScriptMs: figure(script),
    graphFromPlanesMs: figure(inGraph - nothing),
    graphFromPixelsMs: figure(fromPixels - nothing),
    graphStartMs: figure(nothing),
    planesToJavaScript: figure((inGraph - nothing) / script),
    pixelsToJavaScript: figure((fromPixels - nothing) / script),
  }
  const rows = Object.entries(report).map(([name, value]) => [name, JSON.stringify(value)])
  return { report, text: table([['FIGURE', 'VALUE'], ...rows]) }
}

async function graphMs(
  nodes: GraphNode[],
  data: Uint8Array,
  from: readonly number[],
  to: readonly number[],
  type: ElementType,
): Promise<number> {
  const input = { name: 'in', type: ElementType.uint8, dims: from }
  const graph = onnxGraph(input, nodes, { name: 'out', type, dims: to }, { bgr: [2, 1, 0], pads: PADDING.pads })
  const options = {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  } as const
  const session = await InferenceSession.create(graph, options)
  const tensor = new Tensor('uint8', data, from)
  const ms = await cpuMs(async () => void (await session.run({ in: tensor })))
  await session.release()
  return ms
}

async function cpuMs(work: () => Promise<void>): Promise<number> {
  for (let i = 0; i < WARM_UP_RUNS; i++) await work()
  const { cpuSeconds } = await costOf(async () => {
    for (let i = 0; i < RUNS; i++) await work()
  })
  return (1000 * cpuSeconds) / RUNS
}
