/**
 * How long each stage took: quantiles for the summary, and a bounded sample of durations for the daemon's histograms.
 * Session host only.
 */
import type { Clock } from '../core/clock.ts'
import { DurationSketch } from '../core/histogram.ts'
import type { StageTimes } from '../core/wire/control.ts'

/** Durations kept a stage between two progress messages. */
const SAMPLES = 64

export class StageClock {
  readonly #clock: Clock
  #sketches = new Map<string, DurationSketch>()
  #samples: Record<string, number[]> = {}

  constructor(clock: Clock) {
    this.#clock = clock
  }

  time<T>(stage: string, work: () => T): T {
    const startMs = this.#clock.monotonicMs()
    const result = work()
    this.note(stage, this.#clock.monotonicMs() - startMs)
    return result
  }

  async timeAsync<T>(stage: string, work: () => Promise<T>): Promise<T> {
    const startMs = this.#clock.monotonicMs()
    const result = await work()
    this.note(stage, this.#clock.monotonicMs() - startMs)
    return result
  }

  note(stage: string, ms: number): void {
    const sketch = this.#sketches.get(stage) ?? new DurationSketch()
    this.#sketches.set(stage, sketch)
    sketch.add(ms)
    const samples = this.#samples[stage] ?? []
    this.#samples[stage] = samples
    if (samples.length < SAMPLES) samples.push(ms)
  }

  /** The samples since the last call. */
  takeSamples(): Record<string, number[]> {
    const samples = this.#samples
    this.#samples = {}
    return samples
  }

  summary(): Record<string, StageTimes> {
    const rows = [...this.#sketches].map(([stage, sketch]) => {
      const { count, sumMs: totalMs } = sketch
      const times = { p50Ms: sketch.quantile(0.5), p95Ms: sketch.quantile(0.95), count, totalMs }
      return [stage, times] as const
    })
    return Object.fromEntries(rows)
  }
}
