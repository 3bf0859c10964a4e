/**
 * The people who are known: subjects and embeddings in SQLite. Runs in the daemon, and in commands that hold the lock.
 * Must never log a name.
 */
import type { Clock } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import type { GalleryHit } from '../../core/observation.ts'
import type { FaceGallery, Page, Subject } from '../../core/ports.ts'
import { diverseEmbeddings, KEPT_EMBEDDINGS } from '../../streams/analysis/diverse-embeddings.ts'
import { checkEmbedding, checkSubjectId } from './embedding.ts'
import type { PeopleStore, PeopleWriter } from './people-store.ts'
import type { Query } from './sqlite.ts'

/** Sees what other connections enrol and remove at its next call. */
export class SqliteGallery implements FaceGallery {
  readonly #people: PeopleStore
  readonly #clock: Clock
  readonly #keep: number
  readonly #putSubject: Query

  /** `keep`: embeddings kept of a person; the most diverse stay. */
  constructor(people: PeopleStore, clock: Clock, keep = KEPT_EMBEDDINGS) {
    this.#people = people
    this.#clock = clock
    this.#keep = keep
    this.#putSubject = people.store.prepare(
      `INSERT INTO subjects (subject, kind, name, enrolled_at_ms, generation) VALUES (?1, 'known', ?2, ?3, ?4)
       ON CONFLICT (subject) DO UPDATE SET name = coalesce(?2, name), generation = ?4`,
    )
  }

  get model(): string {
    return this.#people.model
  }

  async search(embedding: Float32Array, k: number): Promise<GalleryHit[]> {
    checkEmbedding(embedding, this.#people.dimension)
    return this.#people.search('known', embedding, k)
  }

  /**
   * Adds embeddings to the subject, which is made when absent (then at least one is needed); all or none. Of all that are
   * then known the most diverse are kept.
   */
  async enroll(subject: string, name: string | null, embeddings: Float32Array[]): Promise<Subject> {
    checkSubjectId(subject)
    for (const embedding of embeddings) checkEmbedding(embedding, this.#people.dimension)
    if (embeddings.length === 0 && this.#people.reader.subject(subject) === undefined) {
      throw new GrabberError('API_BAD_REQUEST', 'a new subject needs at least one embedding')
    }
    return this.#people.change((writer) => {
      this.#putSubject.run(subject, name, this.#now(), writer.generation)
      writer.addEmbeddings(subject, embeddings)
      this.#prune(subject, writer)
      return this.#people.reader.subject(subject)!
    })
  }

  /**
   * A person without a name gets one: what is known of `visitor` goes over to the subject, which is made when absent.
   * GAL_UNKNOWN_SUBJECT.
   */
  async adopt(visitor: string, subject: string, name: string | null): Promise<Subject> {
    checkSubjectId(subject)
    return this.#people.change((writer) => {
      if (this.#people.reader.visitor(visitor) === undefined) throw unknownSubject()
      this.#putSubject.run(subject, name, this.#now(), writer.generation)
      writer.moveTo(visitor, subject)
      writer.remove(visitor)
      this.#prune(subject, writer)
      return this.#people.reader.subject(subject)!
    })
  }

  /** Deletes the subject with its embeddings of every model, in the file as well. GAL_UNKNOWN_SUBJECT. */
  async remove(subject: string): Promise<void> {
    await this.#people.change(({ remove }) => {
      if (this.#people.reader.subject(subject) === undefined || !remove(subject)) throw unknownSubject()
    })
  }

  /** Ordered by subject id. Counts embeddings of the present model: 0 for a subject that must be enrolled again. */
  async list(page?: Page): Promise<Subject[]> {
    return this.#people.reader.list(page)
  }

  #prune(subject: string, { dropEmbeddings, addEmbeddings }: PeopleWriter): void {
    const all = this.#people.reader.embeddings(subject)
    if (all.length <= this.#keep) return
    dropEmbeddings(subject)
    const kept = diverseEmbeddings(all, this.#keep)
    addEmbeddings(
      subject,
      kept.map((index) => all[index]!),
    )
  }

  #now(): number {
    return Math.round(this.#clock.nowMs())
  }
}

export function unknownSubject(): GrabberError {
  return new GrabberError('GAL_UNKNOWN_SUBJECT', 'the gallery has no such subject')
}
