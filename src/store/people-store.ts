/**
 * The people in SQLite, and the search over them: what the gallery and the visitors share. Runs in the daemon, and in
 * commands that hold the lock. Must never keep a byte of a removed person, or compare embeddings of different models.
 */
import type { GalleryHit } from '../../core/observation.ts'
import { toBlob } from './embedding.ts'
import { GalleryReader, type GalleryState, type Kind } from './gallery-reader.ts'
import { SearchThread } from './search/search-thread.ts'
import type { Query, Store } from './sqlite.ts'

export interface PeopleModel {
  /** Id of the embedder in the manifest. */
  model: string
  /** Numbers in one of its embeddings. */
  dimension: number
}

/** What a change may do; valid during the change. */
export interface PeopleWriter {
  /** The subject's generation from now on. */
  readonly generation: number
  addEmbeddings(subject: string, embeddings: Iterable<Float32Array>): void
  dropEmbeddings(subject: string): void
  /** Embeddings and ended tracks go over to another subject. */
  moveTo(from: string, to: string): void
  /** With everything that hangs on the subject. False when there is none. */
  remove(subject: string): boolean
}

export class PeopleStore {
  readonly model: string
  readonly dimension: number
  readonly reader: GalleryReader
  readonly store: Store
  readonly #advance: Query<GalleryState>
  readonly #countRemoval: Query<GalleryState>
  readonly #putEmbedding: Query
  readonly #dropEmbeddings: Query
  readonly #moves: readonly Query[]
  readonly #remove: Query
  #thread: Promise<SearchThread> | undefined
  #erasurePending = false

  constructor(store: Store, { model, dimension }: PeopleModel) {
    this.store = store
    this.model = model
    this.dimension = dimension
    this.reader = new GalleryReader(store, model, dimension)
    const counts = 'RETURNING generation, removals'
    this.#advance = store.prepare(`UPDATE gallery_state SET generation = generation + 1 ${counts}`)
    this.#countRemoval = store.prepare(`UPDATE gallery_state SET removals = removals + 1 ${counts}`)
    this.#putEmbedding = store.prepare('INSERT INTO embeddings (subject, model, vector) VALUES (?, ?, ?)')
    this.#dropEmbeddings = store.prepare('DELETE FROM embeddings WHERE subject = ? AND model = ?')
    this.#moves = ['embeddings', 'tracks'].map((table) =>
      store.prepare(`UPDATE ${table} SET subject = ?2 WHERE subject = ?1`),
    )
    this.#remove = store.prepare('DELETE FROM subjects WHERE subject = ?')
  }

  /** A removed person's bytes may still stand in the write-ahead log: a reader was in the way. Tried again at each call. */
  get erasurePending(): boolean {
    return this.#erasurePending
  }

  /** Loads everybody for searching, which the first search does otherwise. STO_*, ACT_STOPPED. */
  open(signal?: AbortSignal): Promise<SearchThread> {
    const place = { path: this.store.path, model: this.model, dimension: this.dimension }
    this.#thread ??= SearchThread.start(place, signal)
    // One that could not start is no reason not to try again.
    this.#thread.catch(() => {
      this.#thread = undefined
    })
    return this.#thread
  }

  async search(kind: Kind, embedding: Float32Array, k: number): Promise<GalleryHit[]> {
    this.#erase()
    return (await this.open()).search(kind, embedding, k)
  }

  /** All of `body`, or nothing of it when it throws. Once it has resolved, every later search sees it. */
  async change<T>(body: (writer: PeopleWriter) => T): Promise<T> {
    this.#erase()
    const removed: string[] = []
    let removals = 0
    const value = this.store.transaction('write', () =>
      body({
        generation: this.#advance.get()!.generation,
        addEmbeddings: (subject, embeddings) => {
          for (const embedding of embeddings) this.#putEmbedding.run(subject, this.model, toBlob(embedding))
        },
        dropEmbeddings: (subject) => this.#dropEmbeddings.run(subject, this.model),
        moveTo: (from, to) => {
          for (const move of this.#moves) move.run(from, to)
        },
        remove: (subject) => {
          if (this.#remove.run(subject).changes === 0) return false
          removals = this.#countRemoval.get()!.removals
          removed.push(subject)
          return true
        },
      }),
    )
    const thread = await this.#thread
    if (removed.length === 0) {
      await thread?.refresh()
    } else {
      this.#erasurePending = true
      await thread?.refresh({ subjects: removed, removals })
      this.#erase()
    }
    return value
  }

  /** Ends the search. The store is its owner's. */
  async close(): Promise<void> {
    const thread = this.#thread
    this.#thread = undefined
    await (await thread)?.close()
  }

  #erase(): void {
    if (this.#erasurePending) this.#erasurePending = !this.store.truncateLog()
  }
}
