/**
 * What the engine counts between heartbeats. Pure; runs in the engine host's I/O thread.
 */
import type { EngineFigures } from '../core/wire/engine-control.ts'

const MAX_SAMPLES = 64

export class EngineSamples {
  completed = 0
  failed = 0
  expired = 0
  #samples: EngineFigures['samples'] = {}

  /** Keeps the first 64 batches of a model since the last `take`. */
  batch(model: string, size: number, runMs: number): void {
    this.#samples[model] ??= { batchSizes: [], runMs: [] }
    const samples = this.#samples[model]
    if (samples.batchSizes.length >= MAX_SAMPLES) return
    samples.batchSizes.push(size)
    samples.runMs.push(runMs)
  }

  /** The samples so far; the next ones start anew. The counts go on. */
  take(): EngineFigures['samples'] {
    const samples = this.#samples
    this.#samples = {}
    return samples
  }
}
