/**
 * The rows that may still be among the best of one probe, and the best subjects among them. Pure; runs wherever a search
 * does. Exact: a row is left out only when k other subjects are better for certain.
 */
import type { BlockScores, Probe, QuantisedRows } from './quantised-rows.ts'

export interface Nearest {
  /** Number of the subject. */
  slot: number
  /** Of its nearest row. */
  similarity: number
}

export class Shortlist {
  readonly #probe: Probe
  readonly #slack: number
  readonly #k: number
  /** The k subjects with the best lower bounds so far, best first. */
  readonly #best: Nearest[] = []
  readonly #rows: number[] = []
  readonly #uppers: number[] = []
  /** The k-th best lower bound: what lies below it for certain is out. */
  #floor = Number.NEGATIVE_INFINITY

  constructor(probe: Probe, slack: number, k: number) {
    this.#probe = probe
    this.#slack = slack
    this.#k = k
  }

  /** `slots` tells each row's subject. */
  add({ firstRow, rows, dots, scales, rests }: BlockScores, slots: Int32Array): void {
    const { scale, norm } = this.#probe
    const slack = this.#slack
    for (let i = 0; i < rows; i++) {
      const estimate = dots[i]! * scales[i]! * scale
      const bound = rests[i]! * norm + slack
      if (estimate + bound < this.#floor) continue
      const row = firstRow + i
      this.#rows.push(row)
      this.#uppers.push(estimate + bound)
      this.#raise(slots[row]!, estimate - bound)
    }
  }

  /** In no order; equal ones of the last place are all there. */
  nearest(matrix: QuantisedRows, slots: Int32Array): Nearest[] {
    const best = new Map<number, number>()
    for (const [index, row] of this.#rows.entries()) {
      if (this.#uppers[index]! < this.#floor) continue
      const similarity = matrix.dot(row, this.#probe)
      const slot = slots[row]!
      const before = best.get(slot)
      if (before === undefined || similarity > before) best.set(slot, similarity)
    }
    return Array.from(best, ([slot, similarity]) => ({ slot, similarity }))
  }

  #raise(slot: number, lower: number): void {
    const best = this.#best
    if (best.length === this.#k && lower <= best[this.#k - 1]!.similarity) return
    const present = best.findIndex((entry) => entry.slot === slot)
    if (present >= 0) {
      if (best[present]!.similarity >= lower) return
      best.splice(present, 1)
    }
    let at = best.length
    while (at > 0 && best[at - 1]!.similarity < lower) at--
    best.splice(at, 0, { slot, similarity: lower })
    if (best.length > this.#k) best.pop()
    if (best.length === this.#k) this.#floor = best[this.#k - 1]!.similarity
  }
}
