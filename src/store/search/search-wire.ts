/**
 * What the search thread is asked and what it answers. Types and their one number. Answers come in the order of the questions.
 */
import type { CodedError } from '../../../core/errors.ts'
import type { GalleryHit } from '../../../core/observation.ts'
import type { Kind } from '../gallery-reader.ts'
import type { Removal, SearchSizes } from './people-search.ts'

/** The thread's `workerData`. */
export interface SearchPlace {
  /** Of the database. */
  path: string
  model: string
  dimension: number
}

export type ToSearch =
  | { type: 'search'; id: number; kind: Kind; embedding: Float32Array; k: number }
  /** Read what changed. */
  | { type: 'refresh'; id: number; removal?: Removal }

/** Id of the first answer, which nobody asked for: everybody is loaded, or why not. */
export const LOADED = 0

export type FromSearch =
  | { type: 'hits'; id: number; hits: GalleryHit[] }
  | { type: 'refreshed'; id: number; sizes: SearchSizes }
  | { type: 'failed'; id: number; error: CodedError }
