/**
 * One batch through a model: pack, run, unpack; a batch that fails is run again one by one, so that a poisonous picture
 * harms itself only. Pure but for `run`; runs in the engine's inference thread.
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
}

/** One answer for each item, in order. A failing item is ENG_POISON, after it failed alone. Never rejects. */
export async function runBatch(adapter: ModelAdapter, run: RunModel, items: BatchPicture[]): Promise<BatchOutcome> {
  try {
    return { answers: await runOnce(adapter, run, items), split: false }
  } catch {
    // Which item was it, and does it fail again? Each alone tells, and keeps its own error.
  }
  const answers: BatchAnswer[] = []
  for (const item of items) {
    try {
      answers.push(...(await runOnce(adapter, run, [item])))
    } catch (error) {
      answers.push({ ok: false, error: poison(adapter.id, error) })
    }
  }
  return { answers, split: true }
}

async function runOnce(adapter: ModelAdapter, run: RunModel, items: BatchPicture[]): Promise<BatchAnswer[]> {
  const { data, dims } = adapter.pack(items.map((item) => item.picture))
  const outputs = await run(data, dims)
  return items.map(({ picture, params }, index) => ({
    ok: true,
    result: adapter.unpack(outputs, index, picture, params),
  }))
}

function poison(model: string, error: unknown): CodedError {
  const what = (error instanceof Error ? error.message : String(error)).slice(0, 200)
  return new GrabberError('ENG_POISON', `${model} failed on a request alone: ${what}`).toJSON()
}
