/** People without a name on disk: what is kept of tracks, what is forgotten, and what a name changes. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { configSchema } from '../../config/schema.ts'
import { systemClock } from '../../core/clock.ts'
import { type CloudEvent, eventSubject, toCloudEvent } from '../../core/event.ts'
import type { EndedTrack, Identity } from '../../core/observation.ts'
import type { NewName } from '../../core/ports.ts'
import { embeddingDimension } from '../../src/face-models.ts'
import { StoredPeople } from '../../src/people.ts'
import { readGalleryEmbeddings } from '../../src/store/calibration-data.ts'
import { SqliteEventLog } from '../../src/store/events.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { cleanUp, onCleanUp } from './support/nats.ts'
import { freshDatabase, numbers, randomUnit } from './support/people.ts'

afterEach(cleanUp)

const model = 'face-reid-0095'
const faces = { detector: 'yunet', embedder: model }
const dimension = embeddingDimension(configSchema.parse({}), model)
const called = (subject: string, name: string | null, more: Partial<NewName> = {}): NewName => {
  return { subject, name, allowSimilar: false, allowDifferent: false, ...more }
}
const vector = (seed: number) => randomUnit(dimension, numbers(seed))

function open({ maxPeople = 100, maxTracks = 100, openSinceMs = Number.POSITIVE_INFINITY } = {}) {
  const path = freshDatabase()
  const config = configSchema.parse({ node: 'n', visitors: { maxPeople, maxTracks }, defaults: { faces } })
  const store = openStore(path)
  const log = new SqliteEventLog(store)
  const submitted: CloudEvent[] = []
  const submit = (event: CloudEvent) => {
    if (log.append(eventSubject('n', event.subject, event.type), event)) submitted.push(event)
  }
  const people = new StoredPeople({ store, config, clock: systemClock, submit, openSinceMs })
  onCleanUp(async () => {
    await people.close()
    store.close()
  })
  return { path, ...people, people, gallery: people.gallery, visitors: people.visitors, log, submit, submitted }
}

const meet = (trackId: string, template: Float32Array) => ({ trackId, template, startMs: 1000, endMs: 2000, taken: [] })
const ended = (trackId: string, embeddings: Float32Array[], more: Partial<EndedTrack> = {}): EndedTrack => {
  return { trackId, startMs: 1000, endMs: 3000, embeddings, ...more }
}
const filesHold = (path: string, needle: Buffer) =>
  readdirSync(dirname(path)).some((file) => readFileSync(join(dirname(path), file)).includes(needle))

function word(trackId: string, revision: number, identity: Identity, phase: 'new' | 'update' | 'end' = 'update') {
  const box = { x: 0, y: 0, width: 0.1, height: 0.1 }
  const frame = { seq: revision, ptsMs: revision, width: 10, height: 10 }
  const liveness = { verdict: 'unchecked' } as const
  const seen = { firstSeen: new Date(0).toISOString(), lastSeen: new Date(1000).toISOString() }
  const data = { phase, trackId, revision, box, frame, score: 1, quality: 1, identity, liveness, ...seen }
  const key = `${trackId}/${revision}/${phase}`
  return toCloudEvent({ type: 'face.track', node: 'n', camera: 'hall', key, timeMs: 1000 + revision, data })
}

describe('what is kept of tracks that ended', () => {
  it('is there for calibration: who they were, when, and what they looked like', async () => {
    const { path, gallery, visitors } = open()
    await gallery.enroll('ada', null, [vector(1), vector(2)])
    const anonymous = (await visitors.remember('hall', meet('t1', vector(3))))!
    await visitors.keep('hall', ended('t1', [vector(3), vector(4)], { anonymous }))
    await visitors.keep('yard', ended('t1', [vector(1)], { subject: 'ada', startMs: 500.4 }))
    await visitors.keep('yard', ended('t2', [vector(5), vector(6), vector(7), vector(8)]))
    expect(readGalleryEmbeddings(path, model, dimension)).toEqual({
      people: [{ subject: 'ada', embeddings: [vector(1), vector(2)] }],
      tracks: [
        { camera: 'hall', trackId: 't1', startMs: 1000, endMs: 3000, anonymous, embeddings: [vector(3), vector(4)] },
        { camera: 'yard', trackId: 't1', startMs: 500, endMs: 3000, subject: 'ada', embeddings: [vector(1)] },
        {
          camera: 'yard',
          trackId: 't2',
          startMs: 1000,
          endMs: 3000,
          embeddings: [vector(5), vector(6), vector(7), vector(8)],
        },
      ],
    })
  })

  it('is bounded: the oldest go, also when nothing is to be kept', async () => {
    const kept = async (maxTracks: number) => {
      const { path, visitors } = open({ maxTracks })
      for (let n = 0; n < 6; n++) await visitors.keep('hall', ended(`t${n}`, [vector(n)]))
      return readGalleryEmbeddings(path, model, dimension).tracks.map(({ trackId }) => trackId)
    }
    expect([await kept(3), await kept(0)]).toEqual([['t3', 't4', 't5'], []])
  })

  it('goes with the person, known or not, to the last byte', async () => {
    const { path, gallery, visitors } = open()
    await gallery.enroll('ada', null, [vector(1)])
    const anonymous = (await visitors.remember('hall', meet('t1', vector(3))))!
    await visitors.keep('hall', ended('t1', [vector(3), vector(4)], { anonymous }))
    await visitors.keep('yard', ended('t1', [vector(5)], { subject: 'ada' }))
    const has = (seed: number) => filesHold(path, Buffer.from(vector(seed).buffer))
    expect([1, 3, 4, 5].map(has)).toEqual([true, true, true, true])
    await visitors.forget(anonymous)
    expect([1, 3, 4, 5].map(has)).toEqual([true, false, false, true])
    expect(filesHold(path, Buffer.from(anonymous))).toBe(false)
    await gallery.remove('ada')
    expect([1, 3, 4, 5].map(has)).toEqual([false, false, false, false])
    expect(readGalleryEmbeddings(path, model, dimension)).toEqual({ people: [], tracks: [] })
    await expect(visitors.forget(anonymous)).rejects.toMatchObject({ code: 'GAL_UNKNOWN_SUBJECT' })
    // Each command has its own kind of person.
    const another = (await visitors.remember('hall', meet('t9', vector(9))))!
    await expect(gallery.remove(another)).rejects.toMatchObject({ code: 'GAL_UNKNOWN_SUBJECT' })
  })

  it('is not kept of somebody who was removed while the track was open', async () => {
    const { path, gallery, visitors } = open()
    await gallery.enroll('ada', null, [vector(1)])
    await gallery.remove('ada')
    await visitors.keep('yard', ended('t1', [vector(5)], { subject: 'ada' }))
    expect(filesHold(path, Buffer.from(vector(5).buffer))).toBe(false)
  })
})

describe('a name for a person without one', () => {
  it('goes to the gallery with everything, and to the last word of each track that ended', async () => {
    const { people, gallery, visitors, submit, submitted } = open()
    const anonymous = (await visitors.remember('hall', meet('t1', vector(3))))!
    await visitors.keep('hall', ended('t1', [vector(3)], { anonymous }))
    for (const track of ['t1', 't2']) {
      submit(word(track, 0, { status: 'unknown' }, 'new'))
      submit(word(track, 1, { status: 'unknown', anonymous }))
      submit(word(track, 1, { status: 'unknown', anonymous }, 'end'))
    }
    submit(word('t3', 1, { status: 'unknown', anonymous: 'anon-bbbbbbbbbb' }, 'end'))
    // It turned out to be somebody who is known: that stays.
    submit(word('t4', 1, { status: 'unknown', anonymous }))
    submit(word('t4', 2, { status: 'confirmed', subject: 'bob', anonymous }, 'end'))
    submitted.splice(0)
    expect(await people.name(anonymous, called('ada', 'Ada'))).toMatchObject({
      subject: 'ada',
      name: 'Ada',
      embeddings: 1,
    })
    expect(await gallery.search(vector(3), 1)).toMatchObject([{ subject: 'ada', name: 'Ada' }])
    expect(await visitors.list()).toEqual([])
    expect(await visitors.search(vector(3), 1)).toEqual([])
    expect(submitted.map(({ data }) => data)).toMatchObject(
      ['t1', 't2'].map((trackId) => ({
        phase: 'update',
        trackId,
        revision: 2,
        identity: { status: 'confirmed', subject: 'ada', name: 'Ada', anonymous },
      })),
    )
    expect(submitted[0]!.id).not.toBe(submitted[1]!.id)
    await expect(people.name(anonymous, called('ada', null))).rejects.toMatchObject({ code: 'GAL_UNKNOWN_SUBJECT' })
  })

  it('can be given again after it was cut off: the same events are no news', async () => {
    const { people, visitors, submit, submitted } = open()
    const anonymous = (await visitors.remember('hall', meet('t1', vector(3))))!
    for (let n = 0; n < 120; n++) submit(word(`t${n}`, 1, { status: 'unknown', anonymous }, 'end'))
    submitted.splice(0)
    await expect(
      people.name(anonymous, called('ada', null)).then(() => {
        throw new Error('stop')
      }),
    ).rejects.toThrow('stop')
    expect(submitted).toHaveLength(120)
    expect(await visitors.remember('hall', meet('t1', vector(4)))).toBe(anonymous)
    await people.name(anonymous, called('bob', null))
    expect(submitted).toHaveLength(120)
  })

  it('leaves a track alone that may still be open: its session finds the name by itself', async () => {
    const { people, visitors, submit, submitted } = open({ openSinceMs: 5000 })
    const anonymous = (await visitors.remember('hall', meet('t1', vector(3))))!
    submit(word('old', 1, { status: 'unknown', anonymous }))
    submit(word('new', 4500, { status: 'unknown', anonymous }))
    submitted.splice(0)
    await people.name(anonymous, called('ada', null))
    expect(submitted).toMatchObject([{ data: { trackId: 'old' } }])
  })

  it('is refused when they look like somebody else who is known; to that one it may be given', async () => {
    const { people, gallery, visitors, submit, submitted } = open()
    const anonymous = (await visitors.remember('hall', meet('t1', vector(3))))!
    submit(word('t1', 1, { status: 'unknown', anonymous }, 'end'))
    submitted.splice(0)
    await gallery.enroll('ada', 'Ada', [vector(3)])
    await expect(people.name(anonymous, called('bob', null))).rejects.toMatchObject({ code: 'GAL_LOOKS_LIKE' })
    expect([submitted, await gallery.list()]).toMatchObject([[], [{ subject: 'ada', embeddings: 1 }]])
    await people.name(anonymous, called('ada', null))
    expect([submitted, await gallery.list()]).toMatchObject([
      [{ data: { identity: { subject: 'ada', name: 'Ada' } } }],
      [{ subject: 'ada', embeddings: 2 }],
    ])
  })

  it('is refused when they are unlike the one who is called so; either refusal can be waived', async () => {
    const { people, gallery, visitors } = open()
    await gallery.enroll('ada', null, [vector(1)])
    await gallery.enroll('bob', null, [vector(2)])
    const anonymous = (await visitors.remember('hall', meet('t1', vector(1))))!
    await expect(people.name(anonymous, called('bob', null, { allowSimilar: true }))).rejects.toMatchObject({
      code: 'GAL_DISAGREE',
    })
    await expect(people.name(anonymous, called('bob', null, { allowDifferent: true }))).rejects.toMatchObject({
      code: 'GAL_LOOKS_LIKE',
    })
    await people.name(anonymous, called('bob', null, { allowSimilar: true, allowDifferent: true }))
    expect(await gallery.list()).toMatchObject([
      { subject: 'ada', embeddings: 1 },
      { subject: 'bob', embeddings: 2 },
    ])
  })

  it('asks for a subject that may be one', async () => {
    const { people } = open()
    for (const id of ['anon-aaaaaaaaaa', 'A b']) {
      await expect(people.name('anon-cccccccccc', called(id, null))).rejects.toMatchObject({ code: 'API_BAD_REQUEST' })
    }
  })
})
