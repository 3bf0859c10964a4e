/** People without a name, as the daemon keeps them and as a replay meets them: one suite. */
import { afterEach, describe, expect, it } from 'vitest'
import type { EndedTrack, Sighting } from '../../core/observation.ts'
import type { VisitorBook } from '../../core/ports.ts'
import { GallerySnapshot } from '../../src/store/gallery-snapshot.ts'
import { MemoryVisitors } from '../../src/store/memory-visitors.ts'
import { SqliteVisitors } from '../../src/store/visitors.ts'
import { cleanUp } from '../integration/support/nats.ts'
import { freshDatabase, MODEL, openPeople } from '../integration/support/people.ts'

const DIMENSION = 4
const limits = { node: 'n', matchThreshold: 0.6, minMargin: 0.05, maxPeople: 3, maxTracks: 100 }

/** A face as a direction: cosines are those of the angles between them; `side` turns it out of the plane of all others. */
function face(degrees: number, side = 0): Float32Array {
  const [plane, out] = [Math.cos((side * Math.PI) / 180), Math.sin((side * Math.PI) / 180)]
  const angle = (degrees * Math.PI) / 180
  return Float32Array.of(plane * Math.cos(angle), plane * Math.sin(angle), out, 0)
}

const sighting = (trackId: string, template: Float32Array, more: Partial<Sighting> = {}): Sighting => {
  return { trackId, template, startMs: 1000, endMs: 2000, taken: [], ...more }
}
const ended = (trackId: string, anonymous: string, template: Float32Array, more: Partial<EndedTrack> = {}) => {
  return { trackId, anonymous, startMs: 1000, endMs: 3000, embeddings: [template], ...more }
}

interface Implementation {
  make(maxPeople: number): VisitorBook
  /** The same people in a new program, where they outlive one. */
  again?(maxPeople: number): VisitorBook
}

let database = ''
const sqlite = (maxPeople: number) => {
  const { people } = openPeople(DIMENSION, database)
  return new SqliteVisitors(people, { ...limits, maxPeople })
}
const implementations: Record<string, Implementation> = {
  SqliteVisitors: {
    make(maxPeople) {
      database = freshDatabase()
      return sqlite(maxPeople)
    },
    again: sqlite,
  },
  MemoryVisitors: {
    make: (maxPeople) => new MemoryVisitors({ ...limits, dimension: DIMENSION, maxPeople }, []),
  },
  'MemoryVisitors of a snapshot': {
    make(maxPeople) {
      database = freshDatabase()
      openPeople(DIMENSION, database)
      const { visitors } = GallerySnapshot.read(database, { model: MODEL, dimension: DIMENSION })
      return new MemoryVisitors({ ...limits, dimension: DIMENSION, maxPeople }, visitors)
    },
  },
}

afterEach(cleanUp)

describe.each(Object.entries(implementations))('%s as a VisitorBook', (_name, { make, again }) => {
  it('tells a person again, on another track and another camera, and keeps two apart', async () => {
    const book = make(9)
    const ada = await book.remember('hall', sighting('t1', face(0)))
    expect(ada).toMatch(/^anon-[a-z2-7]{10}$/)
    const bob = await book.remember('hall', sighting('t2', face(90)))
    expect(bob).not.toBe(ada)
    expect(await book.remember('yard', sighting('t1', face(20)))).toBe(ada)
    expect(await book.remember('yard', sighting('t2', face(70)))).toBe(bob)
  })

  it('makes the id of the first track alone: the same in every run, another on another camera', async () => {
    const [one, two] = [make(9), make(9)]
    const id = await one.remember('hall', sighting('t1', face(0)))
    await two.remember('hall', sighting('t0', face(120)))
    expect(await two.remember('hall', sighting('t1', face(0), { endMs: 9_999_999 }))).toBe(id)
    const other = make(9)
    expect(await other.remember('yard', sighting('t1', face(0)))).not.toBe(id)
  })

  it('cannot tell between two who are nearly as alike, nor when the person is another face of the frame', async () => {
    const book = make(9)
    const ada = await book.remember('hall', sighting('t1', face(0)))
    const bob = await book.remember('hall', sighting('t2', face(80)))
    expect(await book.remember('hall', sighting('t3', face(41)))).toBeNull()
    expect(await book.remember('hall', sighting('t4', face(5), { taken: [ada!] }))).toBeNull()
    expect(await book.remember('hall', sighting('t5', face(5), { taken: [bob!] }))).toBe(ada)
    expect(await book.list()).toHaveLength(2)
  })

  it('learns other views of a face from tracks that end, but nothing of another person', async () => {
    const book = make(9)
    const ada = (await book.remember('hall', sighting('t1', face(0))))!
    expect(await book.search(face(85), 1)).toMatchObject([{ similarity: expect.closeTo(0.087, 3) }])
    await book.keep('hall', ended('t1', ada, face(45)))
    expect(await book.remember('hall', sighting('t2', face(85)))).toBe(ada)
    await book.keep('hall', ended('t2', ada, face(180)))
    expect(await book.search(face(180), 1)).toMatchObject([{ similarity: expect.closeTo(-Math.SQRT1_2, 6) }])
    expect(await book.list()).toEqual([{ id: ada, firstSeenMs: 1000, lastSeenMs: 3000, tracks: 2, embeddings: 2 }])
  })

  it('keeps a bounded number of views, those least alike', async () => {
    const book = make(9)
    const ada = (await book.remember('hall', sighting('t0', face(0))))!
    for (let n = 1; n < 12; n++) await book.keep('hall', ended(`t${n}`, ada, face(n * 30, 30)))
    expect(await book.list()).toMatchObject([{ embeddings: 8 }])
    for (let n = 0; n < 12; n++) expect((await book.search(face(n * 30, 30), 1))[0]!.similarity).toBeGreaterThan(0.6)
  })

  it('counts a track once that ends twice, since its host died', async () => {
    const book = make(9)
    const ada = (await book.remember('hall', sighting('t1', face(0))))!
    for (let n = 0; n < 2; n++) await book.keep('hall', ended('t1', ada, face(0)))
    expect(await book.list()).toMatchObject([{ tracks: 1 }])
  })

  it('forgets the one who was not seen for longest when there are too many', async () => {
    const book = make(3)
    const ids: (string | null)[] = []
    for (const [n, endMs] of [5000, 3000, 4000].entries()) {
      ids.push(await book.remember('hall', sighting(`t${n}`, face(n * 90), { endMs })))
    }
    // Seen again: now another one is the oldest.
    await book.remember('hall', sighting('t3', face(90), { endMs: 6000 }))
    const fourth = await book.remember('hall', sighting('t4', face(270), { endMs: 7000 }))
    expect((await book.list()).map(({ id }) => id).toSorted()).toEqual([ids[0], ids[1], fourth].toSorted())
    expect((await book.search(face(180), 9)).map(({ subject }) => subject)).not.toContain(ids[2])
  })

  it('drops a person who turned out to be known within the first track, and no other', async () => {
    const book = make(9)
    const ada = (await book.remember('hall', sighting('t1', face(0))))!
    const bob = (await book.remember('hall', sighting('t2', face(90))))!
    await book.keep('hall', ended('t2', bob, face(90)))
    await book.keep('hall', ended('t3', bob, face(90), { subject: 'bob' }))
    await book.keep('hall', ended('t1', ada, face(0), { subject: 'ada' }))
    expect((await book.list()).map(({ id }) => id)).toEqual([bob])
    expect(await book.search(face(0), 9)).toHaveLength(1)
  })

  it('does not bring back somebody who was forgotten while a track was open', async () => {
    const book = make(9)
    await book.keep('hall', ended('t1', 'anon-aaaaaaaaaa', face(0)))
    expect([await book.list(), await book.search(face(0), 1)]).toEqual([[], []])
  })

  it('refuses what its model cannot have made', async () => {
    const book = make(9)
    const remember = (template: Float32Array) => book.remember('hall', sighting('t', template))
    await expect(remember(Float32Array.of(1))).rejects.toMatchObject({ code: 'GAL_MODEL_MISMATCH' })
    await expect(remember(face(0).fill(Number.NaN))).rejects.toMatchObject({ code: 'API_BAD_REQUEST' })
  })

  it.runIf(again)('knows everybody in the next program', async () => {
    const before = make(9)
    const ada = await before.remember('hall', sighting('t1', face(0)))
    await before.keep('hall', ended('t1', ada!, face(45)))
    const after = again!(9)
    expect(await after.remember('hall', sighting('t9', face(80)))).toBe(ada)
    expect(await after.list()).toMatchObject([{ id: ada, tracks: 1, embeddings: 2 }])
  })
})

describe('MemoryVisitors', () => {
  it('takes back what came after a mark', async () => {
    const book = new MemoryVisitors({ ...limits, dimension: DIMENSION }, [])
    const ada = (await book.remember('hall', sighting('t1', face(0))))!
    book.mark()
    const marked = await book.list()
    const story = async () => {
      await book.keep('hall', ended('t1', ada, face(45)))
      const ids = [await book.remember('hall', sighting('t2', face(85)))]
      ids.push(await book.remember('hall', sighting('t3', face(180))))
      return [ids, await book.list(), await book.search(face(60), 9)]
    }
    const first = await story()
    book.rewind()
    expect(await book.list()).toEqual(marked)
    expect(await book.search(face(180), 9)).toHaveLength(1)
    expect(await story()).toEqual(first)
  })
})
