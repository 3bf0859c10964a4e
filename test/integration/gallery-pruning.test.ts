/** How many embeddings of a person stay, over repeated enrolments. */
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { KEPT_EMBEDDINGS } from '../../src/enrolment/diverse-embeddings.ts'
import { SqliteGallery } from '../../src/store/gallery.ts'
import { GallerySnapshot } from '../../src/store/gallery-snapshot.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { cleanUp, onCleanUp, temporaryFolder } from './support/nats.ts'

afterEach(cleanUp)

const at = (degrees: number) => {
  const angle = (degrees * Math.PI) / 180
  return Float32Array.of(Math.cos(angle), Math.sin(angle))
}

it('keeps the most diverse of all that was ever enrolled and kept, on disk and in memory', () => {
  const path = join(temporaryFolder(), 'grabber.db')
  const store = openStore(path)
  onCleanUp(() => store.close())
  const gallery = new SqliteGallery(store, { model: 'm', dimension: 2, clock: systemClock })
  gallery.enroll('bob', null, [at(180)])
  for (let degrees = 0; degrees < 40; degrees += 10) {
    gallery.enroll('ada', 'Ada', [at(degrees), at(degrees + 1), at(degrees + 2), at(degrees + 3)])
  }
  const snapshot = GallerySnapshot.read(path, 'm', 2)
  // What was given up is found no more, in memory as on disk.
  for (let degrees = 0; degrees < 40; degrees++) {
    expect(gallery.search(at(degrees), 2)).toEqual(snapshot.search(at(degrees), 2))
  }
  for (const each of [gallery, snapshot]) {
    expect(each.list().map(({ subject, embeddings }) => [subject, embeddings])).toEqual([
      ['ada', KEPT_EMBEDDINGS],
      ['bob', 1],
    ])
    // Nothing that was enrolled is farther than 5 degrees from what stayed.
    for (let degrees = 0; degrees < 40; degrees += 10) {
      const [hit] = each.search(at(degrees), 1)
      expect([hit!.subject, hit!.name]).toEqual(['ada', 'Ada'])
      expect(hit!.similarity).toBeGreaterThan(Math.cos((5 * Math.PI) / 180))
    }
  }
})
