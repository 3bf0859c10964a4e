/** How many embeddings of a person stay, over repeated enrolments. */
import { afterEach, expect, it } from 'vitest'
import { GallerySnapshot } from '../../src/store/gallery-snapshot.ts'
import { KEPT_EMBEDDINGS } from '../../streams/analysis/diverse-embeddings.ts'
import { cleanUp } from './support/nats.ts'
import { MODEL, openPeople } from './support/people.ts'

afterEach(cleanUp)

const at = (degrees: number) => {
  const angle = (degrees * Math.PI) / 180
  return Float32Array.of(Math.cos(angle), Math.sin(angle))
}

it('keeps the most diverse of all that was ever enrolled and kept, on disk and in memory', async () => {
  const { path, gallery } = openPeople(2)
  await gallery.enroll('bob', null, [at(180)])
  for (let degrees = 0; degrees < 40; degrees += 10) {
    await gallery.enroll('ada', 'Ada', [at(degrees), at(degrees + 1), at(degrees + 2), at(degrees + 3)])
  }
  const snapshot = GallerySnapshot.read(path, { model: MODEL, dimension: 2 })
  // What was given up is found no more, in memory as on disk.
  for (let degrees = 0; degrees < 40; degrees++) {
    expect(await gallery.search(at(degrees), 2)).toEqual(await snapshot.search(at(degrees), 2))
  }
  for (const each of [gallery, snapshot]) {
    expect((await each.list()).map(({ subject, embeddings }) => [subject, embeddings])).toEqual([
      ['ada', KEPT_EMBEDDINGS],
      ['bob', 1],
    ])
    // Nothing that was enrolled is farther than 5 degrees from what stayed.
    for (let degrees = 0; degrees < 40; degrees += 10) {
      const [hit] = await each.search(at(degrees), 1)
      expect([hit!.subject, hit!.name]).toEqual(['ada', 'Ada'])
      expect(hit!.similarity).toBeGreaterThan(Math.cos((5 * Math.PI) / 180))
    }
  }
})
