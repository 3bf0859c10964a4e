/**
 * Reads the gallery's tables: shared by the gallery that writes and by the snapshot of a replay. Never writes.
 * Runs wherever its Store does.
 */
import type { Subject } from '../../core/ports.ts'
import { fromBlob } from './embedding.ts'
import { EmbeddingMatrix } from './embedding-matrix.ts'
import type { Query, Store } from './sqlite.ts'

interface SubjectRow {
  subject: string
  name: string | null
  embeddings: number
  enrolledAtMs: number
}

export class GalleryReader {
  readonly #dimension: number
  readonly #model: string
  readonly #rowCount: Query<{ n: number }>
  readonly #generation: Query<{ generation: number }>
  readonly #list: Query<SubjectRow>
  readonly #subject: Query<SubjectRow>
  readonly #ids: Query<{ subject: string }>
  readonly #changed: Query<{ subject: string; name: string | null }>
  readonly #vectors: Query<{ vector: Uint8Array }>

  constructor(store: Store, model: string, dimension: number) {
    this.#model = model
    this.#dimension = dimension
    const columns = `SELECT subject, name, enrolled_at_ms AS enrolledAtMs,
      (SELECT count(*) FROM embeddings e WHERE e.subject = s.subject AND e.model = ?1) AS embeddings FROM subjects s`
    this.#rowCount = store.prepare('SELECT count(*) AS n FROM embeddings WHERE model = ?')
    this.#generation = store.prepare('SELECT generation FROM gallery_state')
    this.#list = store.prepare(`${columns} ORDER BY subject`)
    this.#subject = store.prepare(`${columns} WHERE subject = ?2`)
    this.#ids = store.prepare('SELECT subject FROM subjects')
    this.#changed = store.prepare('SELECT subject, name FROM subjects WHERE generation > ? ORDER BY subject')
    this.#vectors = store.prepare('SELECT vector FROM embeddings WHERE subject = ? AND model = ? ORDER BY id')
  }

  generation(): number {
    return this.#generation.get()!.generation
  }

  list(): Subject[] {
    return this.#list.all(this.#model).map(toSubject)
  }

  subject(subject: string): Subject | undefined {
    const row = this.#subject.get(this.#model, subject)
    return row === undefined ? undefined : toSubject(row)
  }

  /** Embeddings of the model, in the order in which they were enrolled. */
  vectors(subject: string): Float32Array[] {
    return this.#vectors.all(subject, this.#model).map(({ vector }) => fromBlob(vector, this.#dimension))
  }

  /** A matrix of all embeddings of the model. For start-up: it takes a pause that grows with the gallery. */
  load(): EmbeddingMatrix {
    const rows = this.#rowCount.get(this.#model)?.n ?? 0
    const matrix = new EmbeddingMatrix(this.#dimension, Math.max(64, rows))
    this.update(matrix, -1)
    return matrix
  }

  /** Brings `matrix` from the state after `generation` to the present one; costs by what changed. */
  update(matrix: EmbeddingMatrix, generation: number): void {
    if (generation >= 0) {
      const present = new Set(this.#ids.all().map(({ subject }) => subject))
      for (const subject of matrix.subjects()) if (!present.has(subject)) matrix.remove(subject)
    }
    for (const { subject, name } of this.#changed.all(generation)) {
      matrix.remove(subject)
      matrix.add(subject, name, this.vectors(subject))
    }
  }
}

/** node:sqlite makes rows without a prototype; a plain object compares and prints as one. */
function toSubject({ subject, name, embeddings, enrolledAtMs }: SubjectRow): Subject {
  return { subject, name, embeddings, enrolledAtMs }
}
