/**
 * Reads the tables of people: shared by the gallery that writes, by the search and by the snapshot of a replay. Never
 * writes. Runs wherever its Store does.
 */
import type { Page, Subject, Visitor } from '../../core/ports.ts'
import { fromBlob } from './embedding.ts'
import type { Query, Store } from './sqlite.ts'

export type Kind = 'known' | 'unknown'

/** Moves on with every change: `generation` with each, `removals` with each that removed somebody. */
export interface GalleryState {
  generation: number
  removals: number
}

interface PersonRow {
  subject: string
  kind: Kind
  name: string | null
  generation: number
}

/** People that one query of a long reading gives. */
const PART = 1000

export class GalleryReader {
  readonly #dimension: number
  readonly #model: string
  readonly #state: Query<GalleryState>
  readonly #list: Query<Subject>
  readonly #subject: Query<Subject>
  readonly #visitors: Query<Visitor>
  readonly #visitor: Query<Visitor>
  readonly #present: Query<{ subject: string }>
  readonly #changed: Query<PersonRow>
  readonly #vectors: Query<{ vector: Uint8Array }>

  constructor(store: Store, model: string, dimension: number) {
    this.#model = model
    this.#dimension = dimension
    const count = '(SELECT count(*) FROM embeddings e WHERE e.subject = s.subject AND e.model = ?1) AS embeddings'
    const subjects = `SELECT s.subject, name, ${count}, enrolled_at_ms AS enrolledAtMs FROM subjects s WHERE kind = 'known'`
    const visitors = `SELECT s.subject AS id, first_seen_ms AS firstSeenMs, last_seen_ms AS lastSeenMs, tracks, ${count}
      FROM subjects s JOIN visits v ON v.subject = s.subject WHERE kind = 'unknown'`
    const page = 'AND s.subject > ?2 ORDER BY s.subject LIMIT ?3'
    this.#state = store.prepare('SELECT generation, removals FROM gallery_state')
    this.#list = store.prepare(`${subjects} ${page}`)
    this.#subject = store.prepare(`${subjects} AND s.subject = ?2`)
    this.#visitors = store.prepare(`${visitors} ${page}`)
    this.#visitor = store.prepare(`${visitors} AND s.subject = ?2`)
    this.#present = store.prepare('SELECT subject FROM subjects')
    // By the index on generation, which holds the subject as well: a part begins where the one before it ended.
    this.#changed = store.prepare(
      `SELECT subject, kind, name, generation FROM subjects
       WHERE (generation, subject) > (?, ?) ORDER BY generation, subject LIMIT ${PART}`,
    )
    this.#vectors = store.prepare('SELECT vector FROM embeddings WHERE subject = ? AND model = ? ORDER BY id')
  }

  state(): GalleryState {
    const { generation, removals } = this.#state.get()!
    return { generation, removals }
  }

  list(page?: Page): Subject[] {
    return this.#list.all(this.#model, page?.after ?? '', page?.limit ?? -1).map(plain)
  }

  subject(subject: string): Subject | undefined {
    const row = this.#subject.get(this.#model, subject)
    return row && plain(row)
  }

  visitors(page?: Page): Visitor[] {
    return this.#visitors.all(this.#model, page?.after ?? '', page?.limit ?? -1).map(plain)
  }

  visitor(id: string): Visitor | undefined {
    const row = this.#visitor.get(this.#model, id)
    return row && plain(row)
  }

  embeddings(subject: string): Float32Array[] {
    return this.#vectors.all(subject, this.#model).map(({ vector }) => fromBlob(vector, this.#dimension))
  }

  /** Everybody, known or not. */
  present(): Set<string> {
    return new Set(this.#present.all().map(({ subject }) => subject))
  }

  /** Whoever changed after `generation`, in order of the change. */
  *changed(generation: number): Generator<PersonRow> {
    let after = { generation, subject: LAST_SUBJECT }
    for (;;) {
      const rows = this.#changed.all(after.generation, after.subject)
      yield* rows
      const last = rows.at(-1)
      if (last === undefined || rows.length < PART) return
      after = last
    }
  }
}

/** Sorts behind every subject id: of a generation that is known already nobody comes again. */
const LAST_SUBJECT = '\u{10ffff}'

/** node:sqlite makes rows without a prototype; a plain object compares and prints as one. */
function plain<T extends object>(row: T): T {
  return { ...row }
}
