/**
 * How large the next batch of one lane may be. Additive increase, multiplicative decrease (Chiu & Jain, 1989), as Clipper
 * does it for batches (Crankshaw et al., NSDI 2017): it needs no model of the device, and follows it when it changes.
 * A batch may run for half the target latency, because a request that comes just after a batch started waits for that one and
 * then runs itself (Nexus, Shen et al., SOSP 2019: 2ℓ(b) ≤ L). Time in a longer queue does not count: smaller batches would
 * only lengthen it. Nor may a batch be larger than pays: where a picture of a smaller one is as cheap, as on most CPUs, a larger one only keeps the first of
its pictures waiting for the last. Pure; runs in the engine host's I/O thread.
 */
const GOOD_BATCHES_TO_GROW = 16
/** A size is compared when it has run so often; the first runs of a shape also find their memory. */
const RUNS_TO_COMPARE = 4
/** Share of the newest run in the smoothed time of a size. */
const NEWEST = 0.2
/** A larger batch must save this share of a picture's time: less is within what runs differ by. */
const LEAST_SAVING = 0.03

export class BatchLimit {
  readonly #max: number
  readonly #targetRunMs: number
  #now: number
  #good = 0
  /** Size of the last batch that ran too long, when none as large has run in time since; 0 otherwise. */
  #slowSize = 0
  /** By batch size: runs, and the smoothed time of one picture, ms. */
  readonly #pictures = new Map<number, { runs: number; ms: number }>()

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
    this.#measure(batchSize, runMs / batchSize)
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
    if (batchSize < this.#now) return
    const enough = this.#smallestAsCheap(batchSize)
    if (enough < batchSize) {
      this.#lower(enough)
      // Measured anew at the next look: the device may be another by then.
      for (const size of this.#pictures.keys()) if (size > enough) this.#pictures.delete(size)
      return
    }
    if (this.#now === this.#max) return
    if (++this.#good < GOOD_BATCHES_TO_GROW) return
    this.#now++
    this.#good = 0
  }

  #measure(batchSize: number, ms: number): void {
    const known = this.#pictures.get(batchSize)
    if (!known) this.#pictures.set(batchSize, { runs: 1, ms })
    else {
      known.ms += Math.max(NEWEST, 1 / (known.runs + 1)) * (ms - known.ms)
      known.runs++
    }
  }

  /** The smallest batch size whose pictures are as cheap as in batches of `batchSize`; that itself when none is, or none is known. */
  #smallestAsCheap(batchSize: number): number {
    const costMs = (size: number) => {
      const known = this.#pictures.get(size)
      return known && known.runs >= RUNS_TO_COMPARE ? known.ms : Number.POSITIVE_INFINITY
    }
    const largestMs = costMs(batchSize)
    if (!Number.isFinite(largestMs)) return batchSize
    const sizes = [...this.#pictures.keys()].filter((size) => size < batchSize).sort((a, b) => a - b)
    return sizes.find((size) => largestMs > (1 - LEAST_SAVING) * costMs(size)) ?? batchSize
  }

  #lower(size: number): void {
    this.#now = Math.max(1, Math.min(this.#now, size))
    this.#good = 0
    this.#slowSize = 0
  }
}
