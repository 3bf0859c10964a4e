/**
 * The gallery as numbers: one matrix of embeddings, searched by cosine. Pure computation, no I/O.
 * Runs in the daemon and in commands. One search over 10 000 × 256 takes 1.5 ms of the event loop (docs/decisions.md): a
 * larger gallery belongs off it.
 */
import type { GalleryHit } from '../../core/observation.ts'

interface Slot {
  subject: string
  name: string | null
}

/** Rows of L2-normalised float32 embeddings, `[rows, dimension]`, each belonging to a subject. */
export class EmbeddingMatrix {
  readonly #dimension: number
  #matrix: Float32Array
  #rows = 0
  /** Slot of each row. */
  #rowSlots: Int32Array
  readonly #slots: (Slot | undefined)[] = []
  readonly #slotOf = new Map<string, number>()
  readonly #free: number[] = []

  constructor(dimension: number, rows = 64) {
    this.#dimension = dimension
    this.#matrix = new Float32Array(rows * dimension)
    this.#rowSlots = new Int32Array(rows)
  }

  get rows(): number {
    return this.#rows
  }

  subjects(): string[] {
    return [...this.#slotOf.keys()]
  }

  /** Adds rows to a subject, which is made when absent; its name is replaced. Embeddings are copied. */
  add(subject: string, name: string | null, embeddings: Iterable<Float32Array>): void {
    let slot = this.#slotOf.get(subject)
    if (slot === undefined) {
      slot = this.#free.pop() ?? this.#slots.length
      this.#slotOf.set(subject, slot)
    }
    this.#slots[slot] = { subject, name }
    for (const embedding of embeddings) {
      if (this.#rows === this.#rowSlots.length) this.#grow()
      this.#matrix.set(embedding, this.#rows * this.#dimension)
      this.#rowSlots[this.#rows++] = slot
    }
  }

  /** Forgets a subject; its numbers are overwritten in memory as well. */
  remove(subject: string): void {
    const slot = this.#slotOf.get(subject)
    if (slot === undefined) return
    for (let row = this.#rows - 1; row >= 0; row--) {
      if (this.#rowSlots[row] !== slot) continue
      const last = --this.#rows
      this.#matrix.copyWithin(row * this.#dimension, last * this.#dimension, (last + 1) * this.#dimension)
      this.#rowSlots[row] = this.#rowSlots[last]!
      this.#matrix.fill(0, last * this.#dimension, (last + 1) * this.#dimension)
    }
    this.#slots[slot] = undefined
    this.#slotOf.delete(subject)
    this.#free.push(slot)
  }

  /**
   * Best `k` subjects by the cosine of their nearest row, best first; equal ones by subject id. The sum runs in double
   * precision in index order, so the answer does not depend on the order of enrolment.
   */
  search(probe: Float32Array, k: number): GalleryHit[] {
    const best = new Float64Array(this.#slots.length).fill(Number.NEGATIVE_INFINITY)
    // Converted once, not once a row.
    const wide = Float64Array.from(probe)
    let row = 0
    // Four rows at a time share the loads of the probe and run in parallel: half the time of one by one.
    for (; row + 4 <= this.#rows; row += 4) scoreFour(this.#matrix, row, wide, this.#rowSlots, best)
    for (; row < this.#rows; row++) keepBest(best, this.#rowSlots[row]!, dot(this.#matrix, row * wide.length, wide))
    return this.#top(best, k)
  }

  /** Insertion into a list of `k`: one pass, no sort of the whole gallery. */
  #top(best: Float64Array, k: number): GalleryHit[] {
    const hits: GalleryHit[] = []
    if (k <= 0) return hits
    for (let slot = 0; slot < best.length; slot++) {
      const similarity = best[slot]!
      const entry = this.#slots[slot]
      if (entry === undefined || similarity === Number.NEGATIVE_INFINITY) continue
      const worst = hits[k - 1]
      if (worst !== undefined && !ranksBefore(similarity, entry.subject, worst)) continue
      let at = hits.length
      while (at > 0 && ranksBefore(similarity, entry.subject, hits[at - 1]!)) at--
      const { subject, name } = entry
      hits.splice(at, 0, name === null ? { subject, similarity } : { subject, name, similarity })
      if (hits.length > k) hits.pop()
    }
    return hits
  }

  #grow(): void {
    const matrix = new Float32Array(this.#matrix.length * 2)
    matrix.set(this.#matrix)
    const rowSlots = new Int32Array(this.#rowSlots.length * 2)
    rowSlots.set(this.#rowSlots)
    this.#matrix.fill(0)
    this.#matrix = matrix
    this.#rowSlots = rowSlots
  }
}

function ranksBefore(similarity: number, subject: string, other: GalleryHit): boolean {
  return similarity > other.similarity || (similarity === other.similarity && subject < other.subject)
}

function keepBest(best: Float64Array, slot: number, cosine: number): void {
  if (cosine > best[slot]!) best[slot] = cosine
}

function dot(matrix: Float32Array, offset: number, probe: Float64Array): number {
  let sum = 0
  for (let i = 0; i < probe.length; i++) sum += matrix[offset + i]! * probe[i]!
  return sum
}

/** The same sums as `dot`, in the same order, for the rows from `row` on. */
function scoreFour(
  matrix: Float32Array,
  row: number,
  probe: Float64Array,
  slots: Int32Array,
  best: Float64Array,
): void {
  const length = probe.length
  const a = row * length
  const b = a + length
  const c = b + length
  const d = c + length
  let sumA = 0
  let sumB = 0
  let sumC = 0
  let sumD = 0
  for (let i = 0; i < length; i++) {
    const value = probe[i]!
    sumA += matrix[a + i]! * value
    sumB += matrix[b + i]! * value
    sumC += matrix[c + i]! * value
    sumD += matrix[d + i]! * value
  }
  keepBest(best, slots[row]!, sumA)
  keepBest(best, slots[row + 1]!, sumB)
  keepBest(best, slots[row + 2]!, sumC)
  keepBest(best, slots[row + 3]!, sumD)
}
