/**
 * One batch through a model: pack, run, check, unpack; a batch that fails is run again one by one, so that a poisonous picture
 * harms itself only. An answer that is no number is a failure. Pure but for `run`; runs in the engine's inference thread.
 */
import { type CodedError, GrabberError } from '../core/errors.ts'
import type { RgbPicture } from '../core/frame.ts'
import type { InferResult } from '../core/ports.ts'
import type { InferParams } from '../core/wire/engine.ts'
import type { ModelAdapter, ModelTensor } from './adapter.ts'

export interface BatchPicture {
  picture: RgbPicture
  params: InferParams
}

/** The model itself: `[N,3,H,W]` float32 in, named outputs with N first. */
export type RunModel = (data: Float32Array, dims: number[]) => Promise<Record<string, ModelTensor>>

export type BatchAnswer = { ok: true; result: InferResult } | { ok: false; error: CodedError }

export interface BatchOutcome {
  answers: BatchAnswer[]
  /** The batch as a whole failed and was split. */
  split: boolean
  /** It failed for want of memory, by its error or because every item ran alone. */
  outOfMemory: boolean
}

/** One answer for each item, in order. What fails alone too is ENG_POISON, or ENG_MEMORY. Never rejects. */
export async function runBatch(
  adapter: ModelAdapter,
  run: RunModel,
  items: readonly BatchPicture[],
): Promise<BatchOutcome> {
  let outOfMemory: boolean
  try {
    return { answers: await runOnce(adapter, run, items), split: false, outOfMemory: false }
  } catch (error) {
    // Which item was it, and does it fail again? Each alone tells, and keeps its own error.
    outOfMemory = isOutOfMemory(error)
  }
  const answers: BatchAnswer[] = []
  for (const item of items) {
    try {
      answers.push(...(await runOnce(adapter, run, [item])))
    } catch (error) {
      answers.push({ ok: false, error: refusal(adapter.id, error) })
    }
  }
  return { answers, split: true, outOfMemory: outOfMemory || (items.length > 1 && answers.every(({ ok }) => ok)) }
}

async function runOnce(adapter: ModelAdapter, run: RunModel, items: readonly BatchPicture[]): Promise<BatchAnswer[]> {
  const { data, dims } = adapter.pack(privately(items.map((item) => item.picture)))
  const outputs = await run(data, dims)
  checkOutputs(outputs, items.length)
  return items.map(({ picture, params }, index) => ({
    ok: true,
    result: adapter.unpack(outputs, index, picture, params),
  }))
}

/** Throws unless each output is finite and has `count` rows: what is neither is no answer, whatever an adapter made of it. */
export function checkOutputs(outputs: Record<string, ModelTensor>, count: number): void {
  for (const [name, { data, dims }] of Object.entries(outputs)) {
    if (dims[0] !== count) throw new Error(`the output ${name} has ${dims[0]} rows for ${count} pictures`)
    // One number that is not finite makes the sum so; in float64 a sum of finite float32 cannot overflow.
    let sum = 0
    for (let i = 0; i < data.length; i++) sum += data[i]!
    if (!Number.isFinite(sum)) throw new Error(`the output ${name} is not finite`)
  }
}

/** As ONNX Runtime (bad_alloc, BFCArena, CUDA, WebGPU) and V8 say it. */
export function isOutOfMemory(error: unknown): boolean {
  const message = error instanceof Error ? error.message : String(error)
  return /bad_alloc|out of memory|failed to allocate|allocation failed|OUT_OF_MEMORY/i.test(message)
}

/** Bytes of a batch that are kept; eight pictures of 640×384 take 6 MB. */
const MAX_KEPT_BYTES = 16 * 1024 * 1024
let kept = new Uint8Array(0)

/**
 * The pictures in memory that is not shared, valid until the next call: V8 reads shared memory number by number, and packing
 * takes 0.40 ms instead of 0.13 at 640×384; the copy takes 0.02.
 */
function privately(pictures: readonly RgbPicture[]): RgbPicture[] {
  const bytes = pictures.reduce((sum, { data }) => sum + data.byteLength, 0)
  const memory = bytes <= kept.byteLength ? kept : new Uint8Array(bytes)
  if (bytes <= MAX_KEPT_BYTES) kept = memory
  let offset = 0
  return pictures.map(({ width, height, data }) => {
    memory.set(data, offset)
    offset += data.byteLength
    return { width, height, data: memory.subarray(offset - data.byteLength, offset) }
  })
}

function refusal(model: string, error: unknown): CodedError {
  const text = error instanceof Error ? error.message : String(error)
  // Without the addresses of somebody's build machine.
  const what = text
    .replaceAll(/\/onnxruntime_src\/\S+/g, '')
    .replaceAll(/\s+/g, ' ')
    .slice(0, 300)
  const code = isOutOfMemory(error) ? 'ENG_MEMORY' : 'ENG_POISON'
  return new GrabberError(code, `${model} failed on a request alone: ${what}`).toJSON()
}
