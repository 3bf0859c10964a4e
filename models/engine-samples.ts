/**
 * What the engine counts, and what it keeps for its heartbeats. Pure; runs in the engine host's I/O thread.
 */
import type { EngineFigures, ModelFigures } from '../core/wire/engine-control.ts'

const MAX_BATCHES = 64
const LATENCIES = 256

export class EngineSamples {
  completed = 0
  failed = 0
  expired = 0
  refused = 0
  #batches: EngineFigures['samples'] = {}
  readonly #latencies = new Map<string, { ms: Float64Array; count: number }>()

  /** Keeps the first 64 batches of a model since the last `takeBatches`. */
  batch(model: string, size: number, runMs: number): void {
    this.#batches[model] ??= { batchSizes: [], runMs: [] }
    const samples = this.#batches[model]
    if (samples.batchSizes.length >= MAX_BATCHES) return
    samples.batchSizes.push(size)
    samples.runMs.push(runMs)
  }

  /** Queue and run of one request, ms. */
  latency(model: string, ms: number): void {
    const ring = this.#latencies.get(model) ?? { ms: new Float64Array(LATENCIES), count: 0 }
    this.#latencies.set(model, ring)
    ring.ms[ring.count++ % LATENCIES] = ms
  }

  latencies(model: string): Pick<ModelFigures, 'latencyP50Ms' | 'latencyP95Ms'> {
    const ring = this.#latencies.get(model)
    const sorted = ring?.ms.slice(0, Math.min(LATENCIES, ring.count)).sort() ?? new Float64Array(0)
    const at = (q: number) => sorted[Math.floor(q * (sorted.length - 1))] ?? 0
    return { latencyP50Ms: at(0.5), latencyP95Ms: at(0.95) }
  }

  /** The batches so far; the next ones start anew. The counts go on. */
  takeBatches(): EngineFigures['samples'] {
    const batches = this.#batches
    this.#batches = {}
    return batches
  }

  /** A model that is served no more. */
  forget(model: string): void {
    this.#latencies.delete(model)
  }
}
