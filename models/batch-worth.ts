/**
 * How large a batch of one lane pays, whatever the device could bear (batch-limit). On a GPU a run has a fixed cost, and pictures in a
 * full batch are cheapest; on a CPU each picture costs the same or more, and a batch only keeps its first picture waiting for the
 * last. Nobody has to say which it is: the sizes that run are measured. Pure; runs in the engine host's I/O thread.
 */

/** A larger size is looked at again after so many full batches, and each time in vain after twice as many. */
const FULL_BATCHES_TO_LOOK = 16
const MOST_BATCHES_TO_LOOK = 1024
/** A size is compared when it has run so often; the first runs of a shape also find their memory. */
const RUNS_TO_COMPARE = 4
/** Share of the newest run in the smoothed time of a size. */
const NEWEST = 0.2
/** A larger batch must save this share of a picture's time: less is within what runs differ by. */
const LEAST_SAVING = 0.03

export class BatchWorth {
  readonly #max: number
  #now: number
  #full = 0
  #toLook = FULL_BATCHES_TO_LOOK
  /** By how much the next look goes beyond what is allowed: two may not pay where four do. */
  #reach = 2
  #isLooking = false
  /** By batch size: runs, and the smoothed time of one picture, ms. */
  readonly #pictures = new Map<number, { runs: number; ms: number }>()

  /** Begins at `max`: large batches come by themselves where many wait, small ones where few do, and then they are compared. */
  constructor(max: number) {
    this.#max = max
    this.#now = max
  }

  /** ≥ 1. */
  get value(): number {
    return this.#now
  }

  /** Of any size: where few wait, or the device bears no more, there are none as large as is allowed. */
  ran(batchSize: number, runMs: number): void {
    this.#measure(batchSize, runMs / batchSize)
    const enough = this.#smallestAsCheap(batchSize)
    if (enough < Math.min(batchSize, this.#now)) this.#lower(enough)
    else if (batchSize >= this.#now && this.#now < this.#max && ++this.#full >= this.#toLook) this.#look()
  }

  #look(): void {
    // The one before this paid, and so it was looked at long enough.
    if (this.#isLooking) this.#toLook = FULL_BATCHES_TO_LOOK
    this.#isLooking = true
    this.#now = Math.min(this.#max, this.#now * this.#reach)
    this.#full = 0
  }

  #lower(size: number): void {
    if (this.#isLooking) {
      this.#toLook = Math.min(MOST_BATCHES_TO_LOOK, 2 * this.#toLook)
      this.#reach = 2 * this.#reach * size > this.#max ? 2 : 2 * this.#reach
    }
    this.#isLooking = false
    this.#now = size
    this.#full = 0
    // Measured anew at the next look: the device may have become another.
    for (const larger of this.#pictures.keys()) if (larger > size) this.#pictures.delete(larger)
  }

  #measure(batchSize: number, ms: number): void {
    const known = this.#pictures.get(batchSize) ?? { runs: 0, ms: 0 }
    known.runs++
    known.ms += Math.max(NEWEST, 1 / known.runs) * (ms - known.ms)
    this.#pictures.set(batchSize, known)
  }

  /** The smallest batch size whose pictures are as cheap as in batches of `batchSize`; that itself while it is not known well. */
  #smallestAsCheap(batchSize: number): number {
    const msOf = (size: number) => {
      const known = this.#pictures.get(size)
      return known && known.runs >= RUNS_TO_COMPARE ? known.ms : Number.POSITIVE_INFINITY
    }
    const ms = msOf(batchSize)
    if (!Number.isFinite(ms)) return batchSize
    const smaller = [...this.#pictures.keys()].filter((size) => size < batchSize).sort((a, b) => a - b)
    return smaller.find((size) => ms > (1 - LEAST_SAVING) * msOf(size)) ?? batchSize
  }
}
