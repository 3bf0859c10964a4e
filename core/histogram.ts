/**
 * Bounded quantile sketch with logarithmic buckets: relative error ≤ 2.5 %, fixed memory, mergeable.
 * After DDSketch (Masson, Rim, Lee, VLDB 2019), with fixed bounds of 1 µs and about 10 min.
 */
const GROWTH = 1.05
const LOG_GROWTH = Math.log(GROWTH)
const MIN_MS = 0.001
const BUCKETS = 420

export class DurationSketch {
  #counts = new Uint32Array(BUCKETS)
  #n = 0
  #sumMs = 0

  add(valueMs: number): void {
    const index = valueMs <= MIN_MS ? 0 : Math.ceil(Math.log(valueMs / MIN_MS) / LOG_GROWTH)
    const bucket = Math.min(BUCKETS - 1, index)
    this.#counts[bucket] = this.#counts[bucket]! + 1
    this.#n++
    this.#sumMs += valueMs
  }

  get count(): number {
    return this.#n
  }

  /** Exact. */
  get sumMs(): number {
    return this.#sumMs
  }

  /** Value at quantile `q` (0–1) in ms; 0 when empty. */
  quantile(q: number): number {
    if (this.#n === 0) return 0
    let rank = Math.floor(q * (this.#n - 1))
    for (let i = 0; i < BUCKETS; i++) {
      rank -= this.#counts[i]!
      if (rank < 0) return i === 0 ? MIN_MS : (2 * MIN_MS * GROWTH ** i) / (GROWTH + 1)
    }
    return MIN_MS * GROWTH ** BUCKETS
  }
}
