/**
 * Subjects and their embeddings in memory, searched by cosine: exact top-k subjects by their nearest embedding. Pure
 * computation, no I/O. Runs in the daemon's search thread, and in commands. Must never keep a removed subject's numbers.
 */
import type { GalleryHit } from '../../../core/observation.ts'
import { QuantisedRows } from './quantised-rows.ts'
import { Shortlist } from './shortlist.ts'

interface Owner {
  subject: string
  name: string | null
  rows: number[]
}

export class EmbeddingIndex {
  readonly #rows: QuantisedRows
  /** Number of the owner of each row. */
  #slots = new Int32Array(64)
  readonly #owners: (Owner | undefined)[] = []
  readonly #slotOf = new Map<string, number>()
  readonly #free: number[] = []

  constructor(dimension: number) {
    this.#rows = new QuantisedRows(dimension)
  }

  /** Embeddings in it. */
  get embeddings(): number {
    return this.#rows.count
  }

  get size(): number {
    return this.#slotOf.size
  }

  subjects(): Iterable<string> {
    return this.#slotOf.keys()
  }

  /** What is known of the subject from now on, in place of what was. Embeddings are copied. */
  put(subject: string, name: string | null, embeddings: Iterable<Float32Array>): void {
    this.remove(subject)
    const slot = this.#free.pop() ?? this.#owners.length
    const owner: Owner = { subject, name, rows: [] }
    this.#slotOf.set(subject, slot)
    this.#owners[slot] = owner
    for (const embedding of embeddings) {
      const row = this.#rows.count
      if (row === this.#slots.length) this.#growSlots()
      this.#rows.push(embedding)
      this.#slots[row] = slot
      owner.rows.push(row)
    }
  }

  /** Forgets a subject, if it is there; its numbers are overwritten in memory. */
  remove(subject: string): void {
    const slot = this.#slotOf.get(subject)
    if (slot === undefined) return
    const { rows } = this.#owners[slot]!
    // From the highest: then the last row is never one that is still to be removed.
    for (const row of rows.toSorted((a, b) => b - a)) this.#removeRow(row)
    this.#owners[slot] = undefined
    this.#slotOf.delete(subject)
    this.#free.push(slot)
  }

  /**
   * The best `k` subjects for an L2-normalised probe, best first; equal ones by subject id. A similarity is a sum in double
   * precision in index order: the same whatever the order of enrolment.
   */
  search(embedding: Float32Array, k: number): GalleryHit[] {
    if (k <= 0 || this.#slotOf.size === 0) return []
    const probe = this.#rows.probe(embedding)
    const list = new Shortlist(probe, this.#rows.slack(probe), Math.min(k, this.#slotOf.size))
    this.#rows.scan(probe, (scores) => list.add(scores, this.#slots))
    return list
      .nearest(this.#rows, this.#slots)
      .map(({ slot, similarity }) => {
        const { subject, name } = this.#owners[slot]!
        return name === null ? { subject, similarity } : { subject, name, similarity }
      })
      .sort((a, b) => b.similarity - a.similarity || (a.subject < b.subject ? -1 : 1))
      .slice(0, k)
  }

  #removeRow(row: number): void {
    const last = this.#rows.count - 1
    this.#rows.removeAt(row)
    const slot = this.#slots[last]!
    this.#slots[row] = slot
    if (row === last) return
    const { rows } = this.#owners[slot]!
    rows[rows.indexOf(last)] = row
  }

  #growSlots(): void {
    const slots = new Int32Array(this.#slots.length * 2)
    slots.set(this.#slots)
    this.#slots = slots
  }
}
