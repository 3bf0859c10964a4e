/** People in a database of a test's own, with vectors made of few numbers. Test support. */

import { join } from 'node:path'
import { systemClock } from '../../../core/clock.ts'
import type { GalleryHit } from '../../../core/observation.ts'
import { SqliteGallery } from '../../../src/store/gallery.ts'
import { PeopleStore } from '../../../src/store/people-store.ts'
import { openStore } from '../../../src/store/sqlite.ts'
import { randomOf } from '../../support/seeded-random.ts'
import { onCleanUp, temporaryFolder } from './nats.ts'

export const MODEL = 'face-test'

export function freshDatabase(): string {
  return join(temporaryFolder(), 'grabber.db')
}

export interface OpenedPeople {
  path: string
  people: PeopleStore
  gallery: SqliteGallery
}

/** Closed at the end of the test. */
export function openPeople(dimension: number, path = freshDatabase(), model = MODEL, keep?: number): OpenedPeople {
  const store = openStore(path)
  const people = new PeopleStore(store, { model, dimension })
  onCleanUp(async () => {
    await people.close()
    store.close()
  })
  return { path, people, gallery: new SqliteGallery(people, systemClock, keep) }
}

/** The unit vector in the direction of these numbers, zeros after them. */
export function unit(dimension: number, ...values: number[]): Float32Array {
  const padded = Array.from({ length: dimension }, (_, i) => values[i] ?? 0)
  const norm = Math.hypot(...padded)
  return Float32Array.from(padded, (value) => value / norm)
}

/** Pseudo-random numbers of [-1, 1), the same for the same seed. */
export function numbers(seed: number): () => number {
  const random = randomOf(seed)
  return () => 2 * random() - 1
}

export function randomUnit(dimension: number, next: () => number): Float32Array {
  return unit(dimension, ...Array.from({ length: dimension }, next))
}

export interface Person {
  subject: string
  name: string | null
  embeddings: Float32Array[]
}

/** Cosine of the nearest embedding in double precision, subjects in order: slow, and written apart from the product's code. */
export function bruteForce(people: readonly Person[], probe: Float32Array, k: number): GalleryHit[] {
  return people
    .filter(({ embeddings }) => embeddings.length > 0)
    .map(({ subject, name, embeddings }) => {
      const cosines = embeddings.map((row) => row.reduce((total, value, i) => total + value * probe[i]!, 0))
      return { subject, ...(name !== null && { name }), similarity: Math.max(...cosines) }
    })
    .toSorted((a, b) => b.similarity - a.similarity || (a.subject < b.subject ? -1 : 1))
    .slice(0, k)
}
