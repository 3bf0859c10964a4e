/**
 * The people who are known: subjects and embeddings in SQLite, with a matrix in memory for search.
 * Runs in the daemon, and in commands that hold the lock. Must never keep a byte of a removed person, log a name, or
 * compare embeddings of different models.
 */
import type { Clock } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import type { GalleryHit } from '../../core/observation.ts'
import type { FaceGallery, Subject } from '../../core/ports.ts'
import { diverseEmbeddings, KEPT_EMBEDDINGS } from '../enrolment/diverse-embeddings.ts'
import { checkEmbedding, checkSubjectId, toBlob } from './embedding.ts'
import type { EmbeddingMatrix } from './embedding-matrix.ts'
import { GalleryReader } from './gallery-reader.ts'
import type { Query, Store } from './sqlite.ts'

export interface GalleryOptions {
  /** Id of the embedder in the manifest. */
  model: string
  /** Numbers in one of its embeddings. */
  dimension: number
  clock: Clock
  /** Embeddings kept of a person; the most diverse stay. */
  keep?: number
}

/** Sees what other connections enrol and remove at its next call. */
export class SqliteGallery implements FaceGallery {
  readonly model: string
  readonly #options: GalleryOptions
  readonly #store: Store
  readonly #reader: GalleryReader
  readonly #matrix: EmbeddingMatrix
  readonly #putSubject: Query
  readonly #putEmbedding: Query
  readonly #deleteEmbeddings: Query
  readonly #deleteSubject: Query
  readonly #advance: Query<{ generation: number }>
  #dataVersion: number
  #generation: number
  #erasurePending = false

  constructor(store: Store, options: GalleryOptions) {
    this.model = options.model
    this.#options = options
    this.#store = store
    this.#reader = new GalleryReader(store, options.model, options.dimension)
    this.#putSubject = store.prepare(
      `INSERT INTO subjects (subject, name, enrolled_at_ms, generation) VALUES (?1, ?2, ?3, ?4)
       ON CONFLICT (subject) DO UPDATE SET name = coalesce(?2, name), generation = ?4`,
    )
    this.#putEmbedding = store.prepare('INSERT INTO embeddings (subject, model, vector) VALUES (?, ?, ?)')
    this.#deleteEmbeddings = store.prepare('DELETE FROM embeddings WHERE subject = ? AND model = ?')
    this.#deleteSubject = store.prepare('DELETE FROM subjects WHERE subject = ?')
    this.#advance = store.prepare('UPDATE gallery_state SET generation = generation + 1 RETURNING generation')
    this.#dataVersion = store.dataVersion()
    this.#generation = this.#reader.generation()
    this.#matrix = this.#reader.load()
  }

  /** A removed person's bytes may still stand in the write-ahead log: a reader was in the way. Tried again at each call. */
  get erasurePending(): boolean {
    return this.#erasurePending
  }

  search(embedding: Float32Array, k: number): GalleryHit[] {
    checkEmbedding(embedding, this.#options.dimension)
    this.#refresh()
    return this.#matrix.search(embedding, k)
  }

  /**
   * Adds embeddings to the subject, which is made when absent (then at least one is needed); all or none. Of all that are
   * then known the most diverse are kept.
   */
  enroll(subject: string, name: string | null, embeddings: Float32Array[]): Subject {
    checkSubjectId(subject)
    for (const embedding of embeddings) checkEmbedding(embedding, this.#options.dimension)
    this.#refresh()
    if (embeddings.length === 0 && this.#reader.subject(subject) === undefined) {
      throw new GrabberError('API_BAD_REQUEST', 'a new subject needs at least one embedding')
    }
    let kept: Float32Array[] = []
    const generation = this.#store.transaction('write', () => {
      const next = this.#advanced()
      this.#putSubject.run(subject, name, Math.round(this.#options.clock.nowMs()), next)
      const all = [...this.#reader.vectors(subject), ...embeddings]
      kept = diverseEmbeddings(all, this.#options.keep ?? KEPT_EMBEDDINGS).map((index) => all[index]!)
      this.#deleteEmbeddings.run(subject, this.model)
      for (const embedding of kept) this.#putEmbedding.run(subject, this.model, toBlob(embedding))
      return next
    })
    const stored = this.#reader.subject(subject)!
    this.#applied(generation, () => {
      this.#matrix.remove(subject)
      this.#matrix.add(subject, stored.name, kept)
    })
    return stored
  }

  /** Deletes the subject with its embeddings of every model, in the file as well. GAL_UNKNOWN_SUBJECT. */
  remove(subject: string): void {
    this.#refresh()
    const generation = this.#store.transaction('write', () => {
      if (this.#deleteSubject.run(subject).changes > 0) return this.#advanced()
      throw new GrabberError('GAL_UNKNOWN_SUBJECT', 'the gallery has no such subject')
    })
    this.#applied(generation, () => this.#matrix.remove(subject))
    this.#erasurePending = true
    this.#erase()
  }

  /** Ordered by subject id. Counts embeddings of the present model: 0 for a subject that must be enrolled again. */
  list(): Subject[] {
    return this.#reader.list()
  }

  #advanced(): number {
    return this.#advance.get()!.generation
  }

  /** Our own change goes straight into the matrix, unless another connection changed something just before it. */
  #applied(generation: number, change: () => void): void {
    if (generation === this.#generation + 1) change()
    else this.#reader.update(this.#matrix, this.#generation)
    this.#generation = generation
  }

  #erase(): void {
    if (this.#erasurePending) this.#erasurePending = !this.#store.truncateLog()
  }

  /** Two steps, because every commit of another connection moves the data version, but few touch the gallery. */
  #refresh(): void {
    this.#erase()
    const dataVersion = this.#store.dataVersion()
    if (dataVersion === this.#dataVersion) return
    const generation = this.#reader.generation()
    if (generation !== this.#generation) this.#reader.update(this.#matrix, this.#generation)
    this.#generation = generation
    this.#dataVersion = dataVersion
  }
}
