/**
 * One model alone: ONNX Runtime on one thread of the CPU, tensors packed beforehand, answers thrown away. Runs in the
 * benchmark's process.
 */
import { readFile } from 'node:fs/promises'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { RgbPicture } from '../core/frame.ts'
import { adapterFor } from '../models/adapters.ts'
import { findModel } from '../models/manifest.ts'
import { type Cost, costOf } from './bench-kit.ts'

const WARM_UP_RUNS = 5

export interface InferCost extends Cost {
  runs: number
}

/** `runs` pictures, one at a time, taking `pictures` in turn. */
export async function inferAlone(id: string, path: string, pictures: RgbPicture[], runs: number): Promise<InferCost> {
  const adapter = adapterFor(findModel(id))
  const options = { executionProviders: ['cpu'], intraOpNumThreads: 1, interOpNumThreads: 1 }
  const session = await InferenceSession.create(await readFile(path), options)
  const inputs = pictures.map((picture) => {
    const { data, dims } = adapter.pack([picture])
    return new Tensor('float32', data.slice(), dims)
  })
  const run = async (index: number) => {
    await session.run({ [session.inputNames[0]!]: inputs[index % inputs.length]! })
  }
  for (let i = 0; i < WARM_UP_RUNS; i++) await run(i)
  const cost = await costOf(async () => {
    for (let i = 0; i < runs; i++) await run(i)
  })
  await session.release()
  return { ...cost, runs }
}
