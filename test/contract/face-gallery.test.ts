import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { FaceGallery } from '../../core/ports.ts'
import type { SqliteGallery } from '../../src/store/gallery.ts'
import { GallerySnapshot } from '../../src/store/gallery-snapshot.ts'
import { cleanUp } from '../integration/support/nats.ts'
import {
  bruteForce,
  freshDatabase,
  MODEL,
  openPeople,
  type Person,
  unit as unitOf,
} from '../integration/support/people.ts'

const DIMENSION = 8
const unit = (...values: number[]) => unitOf(DIMENSION, ...values)

interface Implementation {
  /** Whether it can be enrolled to and removed from; one that cannot refuses both. */
  mutable: boolean
  /** A gallery that knows these people. */
  make(people: Person[]): Promise<FaceGallery>
}

async function sqliteGallery(people: Person[], path = freshDatabase()): Promise<SqliteGallery> {
  const { gallery } = openPeople(DIMENSION, path, MODEL, Number.POSITIVE_INFINITY)
  for (const { subject, name, embeddings } of people) await gallery.enroll(subject, name, embeddings)
  return gallery
}

const implementations: Record<string, Implementation> = {
  SqliteGallery: { mutable: true, make: sqliteGallery },
  'SqliteGallery, searched before': {
    mutable: true,
    async make(people) {
      const gallery = await sqliteGallery([])
      await gallery.search(unit(1), 1)
      for (const { subject, name, embeddings } of people) await gallery.enroll(subject, name, embeddings)
      return gallery
    },
  },
  'SqliteGallery, opened again': {
    mutable: true,
    async make(people) {
      const path = freshDatabase()
      await sqliteGallery(people, path)
      return sqliteGallery([], path)
    },
  },
  GallerySnapshot: {
    mutable: false,
    async make(people) {
      const path = freshDatabase()
      await sqliteGallery(people, path)
      return GallerySnapshot.read(path, { model: MODEL, dimension: DIMENSION })
    },
  },
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
        const gallery = await make(known)
        expect(await gallery.search(probe, k)).toEqual(bruteForce(known, probe, k))
        await cleanUp()
      }),
      { numRuns: 20 },
    )
  })

  it('answers by the nearest embedding of each subject, with its name if it has one', async () => {
    const hits = await (await make([anna, bela])).search(unit(0, 1), 2)
    expect(hits).toEqual([
      { subject: 'anna', name: 'Anna A.', similarity: 1 },
      { subject: 'bela', similarity: expect.closeTo(Math.SQRT1_2, 6) },
    ])
  })

  it('knows nobody when it is empty', async () => {
    const gallery = await make([])
    expect(await gallery.search(unit(1), 5)).toEqual([])
    expect(await gallery.list()).toEqual([])
  })

  it('lists subjects in order of id, with the number of embeddings', async () => {
    const enrolledAtMs = expect.any(Number)
    expect(await (await make([bela, anna])).list()).toEqual([
      { subject: 'anna', name: 'Anna A.', embeddings: 2, enrolledAtMs },
      { subject: 'bela', name: null, embeddings: 1, enrolledAtMs },
    ])
  })

  it('lists in pages', async () => {
    const ids = ['a', 'b', 'c', 'd', 'e']
    const gallery = await make(ids.map((subject) => ({ subject, name: null, embeddings: [unit(1)] })))
    const page = async (limit: number, after?: string) =>
      (await gallery.list({ limit, ...(after === undefined ? {} : { after }) })).map(({ subject }) => subject)
    expect([await page(2), await page(2, 'b'), await page(2, 'd'), await page(2, 'e')]).toEqual([
      ['a', 'b'],
      ['c', 'd'],
      ['e'],
      [],
    ])
  })

  it('refuses probes that its model cannot have made', async () => {
    const gallery = await make([anna])
    await expect(gallery.search(Float32Array.of(1), 1)).rejects.toEqual(
      expect.objectContaining({ code: 'GAL_MODEL_MISMATCH' }),
    )
    for (const bad of [unit(1).fill(0), unit(1).fill(Number.NaN), unit(1).map((value) => value * 1.01)]) {
      await expect(gallery.search(bad, 1)).rejects.toEqual(expect.objectContaining({ code: 'API_BAD_REQUEST' }))
    }
  })

  if (!mutable) {
    it('refuses to change', async () => {
      const gallery = await make([anna])
      const refusal = expect.objectContaining({ code: 'API_BAD_REQUEST' })
      await expect(gallery.enroll('bela', null, [unit(1)])).rejects.toEqual(refusal)
      await expect(gallery.remove('anna')).rejects.toEqual(refusal)
      expect(await gallery.list()).toHaveLength(1)
    })
    return
  }

  it('adds embeddings to a subject that is known, and renames it when a name is given', async () => {
    const gallery = await make([anna])
    expect(await gallery.enroll('anna', null, [unit(0, 0, 1)])).toMatchObject({ name: 'Anna A.', embeddings: 3 })
    expect(await gallery.enroll('anna', 'Anna B.', [])).toMatchObject({ name: 'Anna B.', embeddings: 3 })
    expect(await gallery.search(unit(0, 0, 1), 1)).toEqual([{ subject: 'anna', name: 'Anna B.', similarity: 1 }])
  })

  it('removes a subject at once', async () => {
    const gallery = await make([anna, bela])
    await gallery.remove('anna')
    const hits = await gallery.search(unit(1), 9)
    expect(hits.map(({ subject }) => subject)).toEqual(['bela'])
    expect((await gallery.list()).map(({ subject }) => subject)).toEqual(['bela'])
    await expect(gallery.remove('anna')).rejects.toEqual(expect.objectContaining({ code: 'GAL_UNKNOWN_SUBJECT' }))
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
        const gallery = await make([])
        const known = new Map<string, Person>()
        for (const one of steps) {
          if ('enroll' in one) {
            const before = known.get(one.enroll)?.embeddings ?? []
            known.set(one.enroll, { subject: one.enroll, name: null, embeddings: [...before, ...one.embeddings] })
            await gallery.enroll(one.enroll, null, one.embeddings)
          } else if (known.delete(one.remove)) {
            await gallery.remove(one.remove)
          }
          expect(await gallery.search(probe, 9)).toEqual(bruteForce([...known.values()], probe, 9))
        }
        await cleanUp()
      }),
      { numRuns: 12 },
    )
  })

  it('refuses bad ids, bad embeddings and empty subjects, and then has changed nothing', async () => {
    const gallery = await make([])
    const refused = (code: string) => expect.objectContaining({ code })
    for (const id of ['', 'Anna', 'a b', 'a.b', 'ä', 'a'.repeat(65), 'a\n', 'anon-abc']) {
      await expect(gallery.enroll(id, null, [unit(1)]), JSON.stringify(id)).rejects.toEqual(refused('API_BAD_REQUEST'))
    }
    await expect(gallery.enroll('anna', null, [])).rejects.toEqual(refused('API_BAD_REQUEST'))
    await expect(gallery.enroll('anna', null, [unit(1), unit(1).fill(9)])).rejects.toEqual(refused('API_BAD_REQUEST'))
    await expect(gallery.enroll('anna', null, [Float32Array.of(1)])).rejects.toEqual(refused('GAL_MODEL_MISMATCH'))
    expect(await gallery.list()).toEqual([])
    expect(await gallery.enroll('a'.repeat(64), null, [unit(1)])).toMatchObject({ embeddings: 1 })
  })
})
