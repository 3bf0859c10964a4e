/**
 * How large the next batch of one lane may be. Additive increase, multiplicative decrease (Chiu & Jain, 1989), as Clipper
 * does it for batches (Crankshaw et al., NSDI 2017): it needs no model of the device, and follows it when it changes.
 * A batch may run for half the target latency, because a request that comes just after a batch started waits for that one and
 * then runs itself (Nexus, Shen et al., SOSP 2019: 2ℓ(b) ≤ L). Time in a longer queue does not count: smaller batches would
 * only lengthen it. Pure; runs in the engine host's I/O thread.
 */
const GOOD_BATCHES_TO_GROW = 16

export class BatchLimit {
  readonly #max: number
  readonly #targetRunMs: number
  #now: number
  #good = 0
  /** Size of the last batch that ran too long, when none as large has run in time since; 0 otherwise. */
  #slowSize = 0

  /** Begins at `max`: what is too much is known after two batches. */
  constructor(max: number, targetLatencyMs: number) {
    this.#max = max
    this.#now = max
    this.#targetRunMs = targetLatencyMs / 2
  }

  get value(): number {
    return this.#now
  }

  /** The device had no memory for a batch of this size. */
  outOfMemory(batchSize: number): void {
    this.#lower(Math.floor(Math.min(batchSize, this.#now) / 2))
  }

  ran(batchSize: number, runMs: number): void {
    if (runMs > this.#targetRunMs) {
      // One slow run may have had another cause: the second lowers the size, and never by more than half.
      const first = this.#slowSize === 0
      this.#slowSize = batchSize
      if (first) return
      const fitting = Math.floor((batchSize * this.#targetRunMs) / runMs)
      this.#lower(Math.max(fitting, Math.floor(batchSize / 2)))
      return
    }
    if (batchSize >= this.#slowSize) this.#slowSize = 0
    if (batchSize < this.#now || this.#now === this.#max) return
    if (++this.#good < GOOD_BATCHES_TO_GROW) return
    this.#now++
    this.#good = 0
  }

  #lower(size: number): void {
    this.#now = Math.max(1, Math.min(this.#now, size))
    this.#good = 0
    this.#slowSize = 0
  }
}
