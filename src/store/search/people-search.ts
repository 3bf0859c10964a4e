/**
 * Who is nearest, among the people who are known and among those without a name: the tables of a database as two indexes
 * in memory. Runs in the daemon's search thread, and in commands. Must never write the database.
 */
import type { GalleryHit } from '../../../core/observation.ts'
import { GalleryReader, type GalleryState, type Kind } from '../gallery-reader.ts'
import type { Store } from '../sqlite.ts'
import { EmbeddingIndex } from './embedding-index.ts'

export type SearchSizes = Record<Kind, { subjects: number; embeddings: number }>

/** Who was removed by one change. Saves looking through everybody for those who are missing. */
export interface Removal {
  subjects: readonly string[]
  /** The database's count of removals, after them. */
  removals: number
}

export class PeopleSearch {
  readonly #indexes: Record<Kind, EmbeddingIndex>
  readonly #reader: GalleryReader | undefined
  /** What the indexes hold. */
  #state: GalleryState = { generation: -1, removals: 0 }

  /** Of the people in `store`, which must stay open as long as `refresh` is called; of nobody without one. */
  constructor(store: Store | undefined, model: string, dimension: number) {
    this.#indexes = { known: new EmbeddingIndex(dimension), unknown: new EmbeddingIndex(dimension) }
    this.#reader = store && new GalleryReader(store, model, dimension)
    this.refresh()
  }

  search(kind: Kind, embedding: Float32Array, k: number): GalleryHit[] {
    return this.#indexes[kind].search(embedding, k)
  }

  get sizes(): SearchSizes {
    const size = ({ size, embeddings }: EmbeddingIndex) => ({ subjects: size, embeddings })
    return { known: size(this.#indexes.known), unknown: size(this.#indexes.unknown) }
  }

  /** Brings the indexes to the present state of the database; costs by what changed. */
  refresh(removal?: Removal): void {
    const reader = this.#reader
    if (!reader) return
    const state = reader.state()
    const before = this.#state
    const told = removal !== undefined && removal.removals - removal.subjects.length === before.removals
    if (told) for (const subject of removal.subjects) this.#forget(subject)
    if (before.generation >= 0 && state.removals !== (told ? removal.removals : before.removals)) this.#sweep(reader)
    for (const { subject, kind, name } of reader.changed(before.generation)) {
      this.#forget(subject)
      this.#indexes[kind].put(subject, name, reader.embeddings(subject))
    }
    this.#state = state
  }

  #sweep(reader: GalleryReader): void {
    const present = reader.present()
    for (const index of Object.values(this.#indexes)) {
      for (const subject of [...index.subjects()]) if (!present.has(subject)) index.remove(subject)
    }
  }

  #forget(subject: string): void {
    this.#indexes.known.remove(subject)
    this.#indexes.unknown.remove(subject)
  }
}
