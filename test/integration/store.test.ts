import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, it } from 'vitest'
import type { GalleryHit } from '../../core/observation.ts'
import { SqliteEventLog } from '../../src/store/events.ts'
import { GallerySnapshot } from '../../src/store/gallery-snapshot.ts'
import { PlaybackTable } from '../../src/store/playback.ts'
import { openReadOnly, openStore } from '../../src/store/sqlite.ts'
import { cleanUp, motionEvent, onCleanUp, temporaryFolder } from './support/nats.ts'
import { MODEL, numbers, openPeople, randomUnit } from './support/people.ts'

afterEach(cleanUp)

const database = () => join(temporaryFolder(), 'grabber.db')

function opened(path: string, migrations?: readonly string[]) {
  const store = openStore(path, migrations)
  onCleanUp(() => store.close())
  return store
}

describe('the database', () => {
  const v1 = 'CREATE TABLE t (a TEXT) STRICT'
  const v2 = 'ALTER TABLE t ADD COLUMN b TEXT'

  it('migrates forward, keeps the rows, and leaves a copy of the old version', () => {
    const path = database()
    const old = openStore(path, [v1])
    old.prepare('INSERT INTO t VALUES (?)').run('kept')
    old.close()
    expect(readdirSync(join(path, '..'))).toEqual(['grabber.db'])
    const store = opened(path, [v1, v2])
    expect({ ...store.prepare<object>('SELECT * FROM t').get() }).toEqual({ a: 'kept', b: null })
    const backup = openReadOnly(`${path}.v1.backup`, [v1])
    onCleanUp(() => backup.close())
    expect({ ...backup.prepare<object>('SELECT * FROM t').get() }).toEqual({ a: 'kept' })
  })

  it('leaves the old version as it was when a migration fails', () => {
    const path = database()
    openStore(path, [v1]).close()
    const broken = `${v2}; INSERT INTO nowhere VALUES (1)`
    expect(() => openStore(path, [v1, broken])).toThrow(expect.objectContaining({ code: 'STO_UNUSABLE' }))
    const store = opened(path, [v1])
    expect(store.prepare<object>("SELECT name FROM pragma_table_info('t')").all()).toHaveLength(1)
  })

  it('refuses a version that it does not know', () => {
    const path = database()
    openStore(path, [v1, v2]).close()
    expect(() => openStore(path, [v1])).toThrow(expect.objectContaining({ code: 'STO_VERSION' }))
    expect(() => openReadOnly(path, [v1])).toThrow(expect.objectContaining({ code: 'STO_VERSION' }))
    expect(() => openReadOnly(path, [v1, v2, v1])).toThrow(expect.objectContaining({ code: 'STO_VERSION' }))
  })

  it('refuses what is no database, and reads nothing that is not there', () => {
    const path = database()
    expect(() => openReadOnly(path)).toThrow(expect.objectContaining({ code: 'STO_UNUSABLE' }))
    expect(existsSync(path)).toBe(false)
    writeFileSync(path, 'this is not a database file, though it is long enough to be taken for one'.repeat(20))
    expect(() => openStore(path)).toThrow(expect.objectContaining({ code: 'STO_UNUSABLE' }))
  })

  it('undoes a transaction that throws', () => {
    const store = opened(database(), [v1])
    const insert = store.prepare('INSERT INTO t VALUES (?)')
    const failing = () =>
      store.transaction('write', () => {
        insert.run('a')
        throw new Error('stop')
      })
    expect(failing).toThrow('stop')
    expect(store.prepare<object>('SELECT * FROM t').all()).toEqual([])
    store.transaction('write', () => insert.run('b'))
    expect(store.prepare<object>('SELECT * FROM t').all()).toHaveLength(1)
  })
})

describe('the event log on disk', () => {
  it('has every acknowledged event after kill -9 in the middle of appends, again and again', async () => {
    const path = database()
    let acknowledged = -1
    for (let round = 0; round < 4; round++) {
      const target = acknowledged + 300
      const child = spawn(
        process.execPath,
        [join(import.meta.dirname, 'support/appender.ts'), path, String(acknowledged + 1)],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      )
      onCleanUp(() => child.kill('SIGKILL'))
      for await (const line of createInterface(child.stdout)) {
        acknowledged = Number(line)
        if (acknowledged >= target) child.kill('SIGKILL')
      }
      expect(acknowledged).toBeGreaterThanOrEqual(target)
      const store = openStore(path)
      const log = new SqliteEventLog(store)
      const ids = log.unpublished(1_000_000).map(({ event }) => event.id)
      // At most the one append whose word did not get out may be there in addition.
      expect(ids.length - (acknowledged + 1)).toBeOneOf([0, 1])
      expect(ids.slice(0, acknowledged + 1)).toEqual(
        Array.from({ length: acknowledged + 1 }, (_, n) => motionEvent(n).id),
      )
      acknowledged = ids.length - 1
      store.close()
    }
  })

  it('knows depth, marks and ids again after it was closed', () => {
    const path = database()
    const store = openStore(path)
    const before = new SqliteEventLog(store)
    for (let n = 0; n < 5; n++) before.append('s', motionEvent(n))
    for (const { position } of before.unpublished(3)) before.markPublished(position)
    before.prune(4)
    store.close()
    const log = new SqliteEventLog(opened(path))
    expect(log.depth()).toBe(2)
    expect(log.unpublished(9).map(({ event }) => event.id)).toEqual([motionEvent(3).id, motionEvent(4).id])
    expect(log.append('s', motionEvent(0))).toBe(false)
    expect(log.prune(4)).toBe(0)
    expect(log.prune(3)).toBe(1)
  })
})

describe('the gallery on disk', () => {
  const DIMENSION = 256
  const vector = (seed: number) => randomUnit(DIMENSION, numbers(seed))
  const open = (path: string, model?: string) => openPeople(DIMENSION, path, model)
  const bytes = (embedding: Float32Array) => Buffer.from(embedding.buffer)
  const filesHold = (path: string, needle: Buffer) =>
    readdirSync(join(path, '..')).filter((file) => readFileSync(join(path, '..', file)).includes(needle))
  const subjects = (hits: GalleryHit[]) => hits.map(({ subject }) => subject)

  it.for(['before a search', 'after a search'])('leaves no byte of a removed person in its files, %s', async (when) => {
    const path = database()
    const { gallery, people } = open(path)
    for (let n = 0; n < 40; n++) await gallery.enroll(`person-${n}`, `Name ${n}!`, [vector(2 * n), vector(2 * n + 1)])
    expect(filesHold(path, bytes(vector(14)))).not.toEqual([])
    expect(filesHold(path, Buffer.from('Name 7!'))).not.toEqual([])
    if (when === 'after a search') expect(subjects(await gallery.search(vector(14), 1))).toEqual(['person-7'])
    await gallery.remove('person-7')
    expect(people.erasurePending).toBe(false)
    for (const needle of [bytes(vector(14)), bytes(vector(15)), Buffer.from('person-7'), Buffer.from('Name 7!')]) {
      expect(filesHold(path, needle)).toEqual([])
    }
    expect(filesHold(path, bytes(vector(16)))).toEqual(['grabber.db'])
  })

  it('erases later when a reader was in the way', async () => {
    const path = database()
    const { gallery, people } = open(path)
    await gallery.enroll('anna', null, [vector(1)])
    await gallery.enroll('bela', null, [vector(2)])
    const reader = openReadOnly(path)
    onCleanUp(() => reader.close())
    const stop = reader.prepare('COMMIT')
    reader.prepare('BEGIN').run()
    reader.prepare<object>('SELECT * FROM subjects').all()
    await gallery.remove('anna')
    expect(people.erasurePending).toBe(true)
    stop.run()
    await gallery.enroll('bela', 'B', [])
    expect(people.erasurePending).toBe(false)
    expect(filesHold(path, bytes(vector(1)))).toEqual([])
  })

  it('sees at its next call what another connection enrolled, renamed and removed', async () => {
    const path = database()
    const { gallery: daemon } = open(path)
    const { gallery: other } = open(path)
    expect(await daemon.search(vector(1), 1)).toEqual([])
    await other.enroll('anna', 'Anna', [vector(1)])
    await other.enroll('bela', null, [vector(2)])
    expect(await daemon.search(vector(1), 1)).toMatchObject([{ subject: 'anna', name: 'Anna' }])
    await other.enroll('anna', 'Anna B.', [vector(3)])
    expect(await daemon.search(vector(3), 1)).toMatchObject([{ subject: 'anna', name: 'Anna B.' }])
    await other.remove('anna')
    expect(subjects(await daemon.search(vector(1), 9))).toEqual(['bela'])
    await daemon.enroll('bela', null, [vector(4)])
    expect(await other.search(vector(4), 1)).toMatchObject([{ subject: 'bela', similarity: expect.closeTo(1, 6) }])
    // A removal of its own, and between its searches one that nobody told it of.
    for (const [n, one] of [daemon, other, daemon].entries()) await one.enroll(`p${n}`, null, [vector(10 + n)])
    await daemon.search(vector(1), 1)
    await other.remove('p1')
    await daemon.remove('p0')
    expect(subjects(await daemon.search(vector(11), 9)).toSorted()).toEqual(['bela', 'p2'])
  })

  it('keeps models apart', async () => {
    const path = database()
    const { gallery } = open(path)
    await gallery.enroll('anna', null, [vector(1)])
    const { gallery: next } = open(path, 'another')
    expect(await next.search(vector(1), 1)).toEqual([])
    expect(await next.list()).toMatchObject([{ subject: 'anna', embeddings: 0 }])
    await next.remove('anna')
    expect(filesHold(path, bytes(vector(1)))).toEqual([])
  })

  it('gives a replay one moment of it, beside the daemon', async () => {
    const path = database()
    const { gallery } = open(path)
    const people = { model: MODEL, dimension: DIMENSION }
    await gallery.enroll('anna', null, [vector(1)])
    const snapshot = GallerySnapshot.read(path, people)
    await gallery.enroll('bela', null, [vector(2)])
    await gallery.remove('anna')
    expect(subjects(await snapshot.search(vector(2), 9))).toEqual(['anna'])
    expect(await GallerySnapshot.empty(people).search(vector(1), 3)).toEqual([])
  })
})

describe('playbacks', () => {
  const checkpoint = { loop: 3, seqBase: 900, ptsBaseMs: 36_000 }

  it('go on after being cut off, and start anew after an orderly end or with another source', () => {
    const path = database()
    const first = openStore(path)
    const before = new PlaybackTable(first)
    expect(before.begin('yard', 'a.mp4')).toEqual({ epoch: 1, from: null })
    expect(before.begin('yard', 'a.mp4')).toEqual({ epoch: 1, from: null })
    before.checkpoint('yard', checkpoint)
    first.close()
    const table = new PlaybackTable(opened(path))
    expect(table.begin('yard', 'a.mp4')).toEqual({ epoch: 1, from: checkpoint })
    expect(table.begin('yard', 'a.mp4')).toEqual({ epoch: 1, from: checkpoint })
    table.end('yard')
    expect(table.begin('yard', 'a.mp4')).toEqual({ epoch: 2, from: null })
    table.checkpoint('yard', checkpoint)
    expect(table.begin('yard', 'b.mp4')).toEqual({ epoch: 3, from: null })
    expect(table.begin('yard', 'a.mp4')).toEqual({ epoch: 4, from: null })
    expect(table.begin('gate', 'a.mp4')).toEqual({ epoch: 1, from: null })
  })
})
