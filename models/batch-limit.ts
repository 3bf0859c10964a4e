/**
 * How large a model's next batch may be: halved when a batch fails that its items survive alone (out of memory, most
 * likely), and grown by one after a run of good full batches. Pure; runs in the engine host's I/O thread.
 */
const GOOD_BATCHES_TO_GROW = 16

export class BatchLimit {
  readonly #max: number
  #now: number
  #good = 0

  constructor(max: number) {
    this.#max = max
    this.#now = max
  }

  get value(): number {
    return this.#now
  }

  failed(): void {
    this.#now = Math.max(1, Math.floor(this.#now / 2))
    this.#good = 0
  }

  succeeded(batchSize: number): void {
    if (batchSize < this.#now || this.#now === this.#max) return
    if (++this.#good < GOOD_BATCHES_TO_GROW) return
    this.#now++
    this.#good = 0
  }
}
