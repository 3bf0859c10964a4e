/**
 * The gallery as it was at one moment, for replays and for looking people up: the same recording and snapshot give the same
 * names. Runs in commands, beside a daemon that may own the data folder. Must never write, and holds no connection.
 */
import { GrabberError } from '../../core/errors.ts'
import type { GalleryHit } from '../../core/observation.ts'
import type { FaceGallery, Page, Subject, Visitor } from '../../core/ports.ts'
import { checkEmbedding } from './embedding.ts'
import { GalleryReader } from './gallery-reader.ts'
import type { PeopleModel } from './people-store.ts'
import { PeopleSearch } from './search/people-search.ts'
import { openReadOnly } from './sqlite.ts'

interface Everybody {
  search: PeopleSearch
  subjects: Subject[]
  visitors: VisitorLooks[]
}

/** A person without a name, with what they look like. */
export interface VisitorLooks extends Visitor {
  looks: Float32Array[]
}

export class GallerySnapshot implements FaceGallery {
  readonly model: string
  readonly dimension: number
  /** In order of id. */
  readonly visitors: readonly VisitorLooks[]
  readonly #everybody: Everybody

  private constructor({ model, dimension }: PeopleModel, everybody: Everybody) {
    this.model = model
    this.dimension = dimension
    this.visitors = everybody.visitors
    this.#everybody = everybody
  }

  /** Reads the database at `path` once. STO_UNUSABLE, STO_VERSION. */
  static read(path: string, people: PeopleModel): GallerySnapshot {
    using store = openReadOnly(path)
    return store.transaction('read', () => {
      const reader = new GalleryReader(store, people.model, people.dimension)
      const visitors = reader.visitors().map((visitor) => ({ ...visitor, looks: reader.embeddings(visitor.id) }))
      const search = new PeopleSearch(store, people.model, people.dimension)
      return new GallerySnapshot(people, { search, subjects: reader.list(), visitors })
    })
  }

  /** Nobody is known: for a replay without a data folder. */
  static empty(people: PeopleModel): GallerySnapshot {
    const search = new PeopleSearch(undefined, people.model, people.dimension)
    return new GallerySnapshot(people, { search, subjects: [], visitors: [] })
  }

  async search(embedding: Float32Array, k: number): Promise<GalleryHit[]> {
    checkEmbedding(embedding, this.dimension)
    return this.#everybody.search.search('known', embedding, k)
  }

  async enroll(): Promise<Subject> {
    throw readOnly()
  }

  async remove(): Promise<void> {
    throw readOnly()
  }

  async list(page?: Page): Promise<Subject[]> {
    const { after = '', limit } = page ?? {}
    return this.#everybody.subjects
      .filter(({ subject }) => subject > after)
      .slice(0, limit)
      .map((subject) => ({ ...subject }))
  }
}

function readOnly(): GrabberError {
  return new GrabberError('API_BAD_REQUEST', 'a snapshot of the gallery does not change', {
    remedy: 'enrol and remove with `grabber faces`, outside of a replay',
  })
}
