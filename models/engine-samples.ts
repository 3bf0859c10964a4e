/**
 * What the engine counts, and what it keeps for its heartbeats. Pure; runs in the engine host's I/O thread.
 */
import type { Clock } from '../core/clock.ts'
import type { EngineFigures, ModelFigures } from '../core/wire/engine-control.ts'

const MAX_BATCHES = 64
const LATENCIES = 256
/**
 * Older latencies tell nothing of now, ms. A model that is asked seldom, or no more because cameras lost rate over it, would seem slow for
 * ever, and nobody would get the rate back (actors/load-policy).
 */
const RECENT_MS = 10_000

interface Latencies {
  ms: Float64Array
  atMs: Float64Array
  count: number
}

export class EngineSamples {
  completed = 0
  failed = 0
  expired = 0
  refused = 0
  #batches: EngineFigures['samples'] = {}
  readonly #latencies = new Map<string, Latencies>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

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
    const fresh = () => ({ ms: new Float64Array(LATENCIES), atMs: new Float64Array(LATENCIES), count: 0 })
    const ring = this.#latencies.get(model) ?? fresh()
    this.#latencies.set(model, ring)
    const index = ring.count++ % LATENCIES
    ring.ms[index] = ms
    ring.atMs[index] = this.#clock.monotonicMs()
  }

  /** Of the last ten seconds; 0 when nobody asked. */
  latencies(model: string): Pick<ModelFigures, 'latencyP50Ms' | 'latencyP95Ms'> {
    const { ms, atMs, count } = this.#latencies.get(model) ?? { ms: [], atMs: [], count: 0 }
    const sinceMs = this.#clock.monotonicMs() - RECENT_MS
    const sorted = Array.from(ms.slice(0, Math.min(LATENCIES, count)))
      .filter((_, index) => atMs[index]! >= sinceMs)
      .sort((a, b) => a - b)
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
