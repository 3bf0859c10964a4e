/**
 * The gallery as it was at one moment, for replays: the same recording and snapshot give the same names.
 * Runs in commands, beside a daemon that may own the data folder. Must never write, and holds no connection.
 */
import { GrabberError } from '../../core/errors.ts'
import type { GalleryHit } from '../../core/observation.ts'
import type { FaceGallery, Subject } from '../../core/ports.ts'
import { checkEmbedding } from './embedding.ts'
import { EmbeddingMatrix } from './embedding-matrix.ts'
import { GalleryReader } from './gallery-reader.ts'
import { openReadOnly } from './sqlite.ts'

export class GallerySnapshot implements FaceGallery {
  readonly model: string
  readonly #dimension: number
  readonly #matrix: EmbeddingMatrix
  readonly #subjects: Subject[]

  private constructor(model: string, dimension: number, matrix: EmbeddingMatrix, subjects: Subject[]) {
    this.model = model
    this.#dimension = dimension
    this.#matrix = matrix
    this.#subjects = subjects
  }

  /** Reads the database at `path` once. STO_UNUSABLE, STO_VERSION. */
  static read(path: string, model: string, dimension: number): GallerySnapshot {
    using store = openReadOnly(path)
    return store.transaction('read', () => {
      const reader = new GalleryReader(store, model, dimension)
      return new GallerySnapshot(model, dimension, reader.load(), reader.list())
    })
  }

  /** Nobody is known: for a replay without a data folder. */
  static empty(model: string, dimension: number): GallerySnapshot {
    return new GallerySnapshot(model, dimension, new EmbeddingMatrix(dimension), [])
  }

  search(embedding: Float32Array, k: number): GalleryHit[] {
    checkEmbedding(embedding, this.#dimension)
    return this.#matrix.search(embedding, k)
  }

  enroll(): Subject {
    throw readOnly()
  }

  remove(): void {
    throw readOnly()
  }

  list(): Subject[] {
    return this.#subjects.map((subject) => ({ ...subject }))
  }
}

function readOnly(): GrabberError {
  return new GrabberError('API_BAD_REQUEST', 'a snapshot of the gallery does not change', {
    remedy: 'enrol and remove with `grabber faces`, outside of a replay',
  })
}
