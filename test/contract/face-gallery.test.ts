import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import type { GalleryHit } from '../../core/observation.ts'
import type { FaceGallery } from '../../core/ports.ts'
import { SqliteGallery } from '../../src/store/gallery.ts'
import { GallerySnapshot } from '../../src/store/gallery-snapshot.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { cleanUp, onCleanUp, temporaryFolder } from '../integration/support/nats.ts'

const MODEL = 'face-test'
const DIMENSION = 8

interface Person {
  subject: string
  name: string | null
  embeddings: Float32Array[]
}

interface Implementation {
  /** Whether it can be enrolled to and removed from; one that cannot refuses both. */
  mutable: boolean
  /** A gallery that knows these people. */
  make(people: Person[]): FaceGallery
}

function sqliteGallery(people: Person[], path = join(temporaryFolder(), 'grabber.db')): SqliteGallery {
  const store = openStore(path)
  onCleanUp(() => store.close())
  const gallery = new SqliteGallery(store, {
    model: MODEL,
    dimension: DIMENSION,
    clock: systemClock,
    keep: Number.POSITIVE_INFINITY,
  })
  for (const { subject, name, embeddings } of people) gallery.enroll(subject, name, embeddings)
  return gallery
}

const implementations: Record<string, Implementation> = {
  SqliteGallery: { mutable: true, make: sqliteGallery },
  'SqliteGallery, opened again': {
    mutable: true,
    make(people) {
      const path = join(temporaryFolder(), 'grabber.db')
      sqliteGallery(people, path)
      return sqliteGallery([], path)
    },
  },
  GallerySnapshot: {
    mutable: false,
    make(people) {
      const path = join(temporaryFolder(), 'grabber.db')
      sqliteGallery(people, path)
      return GallerySnapshot.read(path, MODEL, DIMENSION)
    },
  },
}

function unit(...values: number[]): Float32Array {
  const padded = Array.from({ length: DIMENSION }, (_, i) => values[i] ?? 0)
  return Float32Array.from(padded, (value) => value / Math.hypot(...padded))
}

/** Cosine of the nearest embedding, subjects in order: slow, and written apart from the product's code. */
function bruteForce(people: Person[], probe: Float32Array, k: number): GalleryHit[] {
  return people
    .map(({ subject, name, embeddings }) => {
      const cosines = embeddings.map((row) => row.reduce((total, value, i) => total + value * probe[i]!, 0))
      return { subject, ...(name !== null && { name }), similarity: Math.max(...cosines) }
    })
    .toSorted((a, b) => b.similarity - a.similarity || (a.subject < b.subject ? -1 : 1))
    .slice(0, k)
}

const anna = { subject: 'anna', name: 'Anna A.', embeddings: [unit(1), unit(0, 1)] }
const bela = { subject: 'bela', name: null, embeddings: [unit(1, 1)] }

// Few distinct values, so that equal similarities happen.
const vector = fc
  .array(fc.integer({ min: -2, max: 2 }), { minLength: DIMENSION, maxLength: DIMENSION })
  .filter((values) => values.some((value) => value !== 0))
  .map((values) => unit(...values))
const people = fc.uniqueArray(
  fc.record({
    subject: fc.stringMatching(/^[a-z0-9_-]{1,6}$/),
    name: fc.option(fc.string({ maxLength: 5 })),
    embeddings: fc.array(vector, { minLength: 1, maxLength: 4 }),
  }),
  { selector: ({ subject }) => subject, maxLength: 12 },
)

afterEach(cleanUp)

describe.each(Object.entries(implementations))('%s as a FaceGallery', (_name, { mutable, make }) => {
  it('finds the same subjects as a brute-force search, in the same order', async () => {
    await fc.assert(
      fc.asyncProperty(people, vector, fc.integer({ min: 0, max: 15 }), async (known, probe, k) => {
        expect(make(known).search(probe, k)).toEqual(bruteForce(known, probe, k))
        await cleanUp()
      }),
      { numRuns: 60 },
    )
  })

  it('answers by the nearest embedding of each subject, with its name if it has one', () => {
    const hits = make([anna, bela]).search(unit(0, 1), 2)
    expect(hits).toEqual([
      { subject: 'anna', name: 'Anna A.', similarity: 1 },
      { subject: 'bela', similarity: expect.closeTo(Math.SQRT1_2, 6) },
    ])
  })

  it('knows nobody when it is empty', () => {
    const gallery = make([])
    expect(gallery.search(unit(1), 5)).toEqual([])
    expect(gallery.list()).toEqual([])
  })

  it('lists subjects in order of id, with the number of embeddings', () => {
    const enrolledAtMs = expect.any(Number)
    expect(make([bela, anna]).list()).toEqual([
      { subject: 'anna', name: 'Anna A.', embeddings: 2, enrolledAtMs },
      { subject: 'bela', name: null, embeddings: 1, enrolledAtMs },
    ])
  })

  it('refuses probes that its model cannot have made', () => {
    const gallery = make([anna])
    expect(() => gallery.search(Float32Array.of(1), 1)).toThrow(expect.objectContaining({ code: 'GAL_MODEL_MISMATCH' }))
    for (const bad of [unit(1).fill(0), unit(1).fill(Number.NaN), unit(1).map((value) => value * 1.01)]) {
      expect(() => gallery.search(bad, 1)).toThrow(expect.objectContaining({ code: 'API_BAD_REQUEST' }))
    }
  })

  if (!mutable) {
    it('refuses to change', () => {
      const gallery = make([anna])
      const refusal = expect.objectContaining({ code: 'API_BAD_REQUEST' })
      expect(() => gallery.enroll('bela', null, [unit(1)])).toThrow(refusal)
      expect(() => gallery.remove('anna')).toThrow(refusal)
      expect(gallery.list()).toHaveLength(1)
    })
    return
  }

  it('adds embeddings to a subject that is known, and renames it when a name is given', () => {
    const gallery = make([anna])
    expect(gallery.enroll('anna', null, [unit(0, 0, 1)])).toMatchObject({ name: 'Anna A.', embeddings: 3 })
    expect(gallery.enroll('anna', 'Anna B.', [])).toMatchObject({ name: 'Anna B.', embeddings: 3 })
    expect(gallery.search(unit(0, 0, 1), 1)).toEqual([{ subject: 'anna', name: 'Anna B.', similarity: 1 }])
  })

  it('removes a subject at once', () => {
    const gallery = make([anna, bela])
    gallery.remove('anna')
    expect(gallery.search(unit(1), 9).map(({ subject }) => subject)).toEqual(['bela'])
    expect(gallery.list().map(({ subject }) => subject)).toEqual(['bela'])
    expect(() => gallery.remove('anna')).toThrow(expect.objectContaining({ code: 'GAL_UNKNOWN_SUBJECT' }))
  })

  it('stays equal to brute force over any course of enrolling and removing', async () => {
    const step = fc.oneof(
      fc.record({
        enroll: fc.constantFrom('a', 'b', 'c', 'd'),
        embeddings: fc.array(vector, { minLength: 1, maxLength: 3 }),
      }),
      fc.record({ remove: fc.constantFrom('a', 'b', 'c', 'd') }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), vector, async (steps, probe) => {
        const gallery = make([])
        const known = new Map<string, Person>()
        for (const one of steps) {
          if ('enroll' in one) {
            const before = known.get(one.enroll)?.embeddings ?? []
            known.set(one.enroll, { subject: one.enroll, name: null, embeddings: [...before, ...one.embeddings] })
            gallery.enroll(one.enroll, null, one.embeddings)
          } else if (known.delete(one.remove)) {
            gallery.remove(one.remove)
          }
          expect(gallery.search(probe, 9)).toEqual(bruteForce([...known.values()], probe, 9))
        }
        await cleanUp()
      }),
      { numRuns: 25 },
    )
  })

  it('refuses bad ids, bad embeddings and empty subjects, and then has changed nothing', () => {
    const gallery = make([])
    const refused = (code: string) => expect.objectContaining({ code })
    for (const id of ['', 'Anna', 'a b', 'a.b', 'ä', 'a'.repeat(65), 'a\n']) {
      expect(() => gallery.enroll(id, null, [unit(1)]), JSON.stringify(id)).toThrow(refused('API_BAD_REQUEST'))
    }
    expect(() => gallery.enroll('anna', null, [])).toThrow(refused('API_BAD_REQUEST'))
    expect(() => gallery.enroll('anna', null, [unit(1), unit(1).fill(9)])).toThrow(refused('API_BAD_REQUEST'))
    expect(() => gallery.enroll('anna', null, [Float32Array.of(1)])).toThrow(refused('GAL_MODEL_MISMATCH'))
    expect(gallery.list()).toEqual([])
    expect(gallery.enroll('a'.repeat(64), null, [unit(1)]).embeddings).toBe(1)
  })
})
