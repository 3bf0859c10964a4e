/** The search on its thread: what it sees while people come and go, and what happens when it dies. */
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { GalleryActor } from '../../actors/gallery.ts'
import { Supervisor } from '../../actors/kernel/supervisor.ts'
import { rootPolicy } from '../../actors/policies.ts'
import { configSchema } from '../../config/schema.ts'
import { systemClock } from '../../core/clock.ts'
import { embeddingDimension } from '../../src/face-models.ts'
import { settleModels } from '../../src/model-choice.ts'
import { StoredPeople } from '../../src/people.ts'
import { storeMigrations } from '../../src/store/migrations.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { RecordingLogger } from '../unit/recording-logger.ts'
import { cleanUp, onCleanUp } from './support/nats.ts'
import { bruteForce, freshDatabase, numbers, openPeople, type Person, randomUnit } from './support/people.ts'

afterEach(async () => {
  await cleanUp()
  vi.restoreAllMocks()
})

const DIMENSION = 64

describe('searching while people come and go', () => {
  it('each search sees one moment: everybody enrolled before it, nobody removed before it', async () => {
    const { gallery, people } = openPeople(DIMENSION)
    const thread = await people.open()
    const next = numbers(1)
    const known = new Map<string, Person>()
    await gallery.search(randomUnit(DIMENSION, next), 1)
    for (let round = 0; round < 60; round++) {
      const probe = randomUnit(DIMENSION, next)
      const before = [...known.values()]
      const during = gallery.search(probe, 9)
      const subject = `p${round % 17}`
      if (known.delete(subject)) {
        await gallery.remove(subject)
      } else {
        const person = { subject, name: null, embeddings: [randomUnit(DIMENSION, next), randomUnit(DIMENSION, next)] }
        known.set(subject, person)
        await gallery.enroll(subject, null, person.embeddings)
      }
      const after = [...known.values()]
      // What is in the thread's memory, and no more, when a change has ended.
      expect(thread.sizes.known).toEqual({ subjects: known.size, embeddings: 2 * known.size })
      const allowed = [before, after].map((people) => JSON.stringify(bruteForce(people, probe, 9)))
      expect(allowed).toContain(JSON.stringify(await during))
      expect(await gallery.search(probe, 9)).toEqual(bruteForce(after, probe, 9))
    }
  })

  it('nobody who was removed is found by a search that began after the removal had ended', async () => {
    const { gallery } = openPeople(DIMENSION)
    const next = numbers(2)
    const vectors = Array.from({ length: 30 }, () => randomUnit(DIMENSION, next))
    for (const [n, vector] of vectors.entries()) await gallery.enroll(`p${n}`, null, [vector])
    const searching = vectors.map((vector) => gallery.search(vector, 30))
    const removing = Promise.all(Array.from({ length: 15 }, (_, n) => gallery.remove(`p${n}`)))
    await removing
    const found = await Promise.all(vectors.map((vector) => gallery.search(vector, 30)))
    for (const hits of found) {
      expect(hits.map(({ subject }) => Number(subject.slice(1))).toSorted((a, b) => a - b)[0]).toBe(15)
      expect(hits).toHaveLength(15)
    }
    await Promise.all(searching)
  })
})

describe('a search thread that dies', () => {
  it('in the middle of searches: whoever asked is told, the actor is restarted, and everybody is found again', async () => {
    const config = settleModels(configSchema.parse({ defaults: { faces: { embedder: 'face-reid-0095' } } }))
    const dimension = embeddingDimension(config, config.defaults.faces.embedder)
    const store = openStore(freshDatabase())
    onCleanUp(() => store.close())
    const parts = { store, config, clock: systemClock, submit: () => undefined, openSinceMs: 0 }
    const posts = vi.spyOn(Worker.prototype, 'postMessage')
    const logger = new RecordingLogger()
    const actor = new GalleryActor({
      open: () => new StoredPeople(parts).load(),
      clock: systemClock,
      logger,
      askDeadlineMs: 20_000,
      onSearch: () => undefined,
    })
    const backoff = { minMs: 1, maxMs: 2, factor: 2, jitterRatio: 0 }
    const supervisor = Supervisor.start(
      { ...rootPolicy, backoff, id: 'root', children: [actor.child] },
      { clock: systemClock, logger },
    )
    onCleanUp(() => supervisor.stop())
    await supervisor.ready
    const next = numbers(3)
    const vector = randomUnit(dimension, next)
    const others = Array.from({ length: 99 }, () => randomUnit(dimension, next))
    await actor.enroll('others', null, others, config.defaults.faces.embedder)
    await actor.enroll('ada', 'Ada', [vector], config.defaults.faces.embedder)
    expect(await actor.search(vector, 1)).toMatchObject([{ subject: 'ada' }])
    const before = posts.mock.calls.length
    const asked = Array.from({ length: 40 }, () => actor.search(vector, 1).catch((error) => error.code as string))
    // At most 16 are with the thread at once: most have not even been asked when it dies.
    while (posts.mock.calls.length < before + 10) await Promise.resolve()
    await (posts.mock.contexts.at(-1) as Worker).terminate()
    const answers = await Promise.all(asked)
    const refused = answers.filter((answer) => typeof answer === 'string')
    expect(new Set(refused)).toEqual(new Set(['ACT_STOPPED']))
    expect(refused.length).toBeGreaterThanOrEqual(24)
    await expect
      .poll(() => actor.search(vector, 1).catch(() => undefined), { timeout: 20_000 })
      .toMatchObject([{ subject: 'ada', name: 'Ada' }])
    expect(supervisor.inspect().restarts).toBe(1)
  })

  it('by a defect of its own: the question that met it is answered too', async () => {
    const { people, gallery } = openPeople(DIMENSION)
    await gallery.enroll('ada', null, [randomUnit(DIMENSION, numbers(1))])
    const thread = await people.open()
    const broken = people.search('known', null as unknown as Float32Array, 1)
    await expect(broken).rejects.toMatchObject({ code: 'ACT_STOPPED' })
    expect(await thread.died).toMatchObject({ code: 'ACT_STOPPED' })
    await expect(thread.search('known', new Float32Array(DIMENSION), 1)).rejects.toMatchObject({ code: 'ACT_STOPPED' })
  })

  it('is ended when nobody waits any more for it to have loaded', async () => {
    const { people } = openPeople(DIMENSION)
    const ending = new AbortController()
    const opening = people.open(ending.signal)
    ending.abort()
    await expect(opening).rejects.toMatchObject({ code: 'ACT_STOPPED' })
    await expect(people.open(AbortSignal.abort())).rejects.toMatchObject({ code: 'ACT_STOPPED' })
    expect((await people.open()).sizes.known.subjects).toBe(0)
  })

  it('before it has loaded anybody, says why', async () => {
    const { people, path } = openPeople(DIMENSION)
    people.store.prepare('PRAGMA user_version = 99').get()
    await expect(people.open()).rejects.toMatchObject({ code: 'STO_VERSION' })
    people.store.prepare(`PRAGMA user_version = ${storeMigrations.length}`).get()
    expect((await people.open()).sizes.known).toEqual({ subjects: 0, embeddings: 0 })
    expect(path).toMatch(/grabber\.db$/)
  })
})
