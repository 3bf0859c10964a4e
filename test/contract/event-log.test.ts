import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { PRUNE_BATCH, type PrunableEventLog, SqliteEventLog } from '../../src/store/events.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { cleanUp, motionEvent, onCleanUp, temporaryFolder } from '../integration/support/nats.ts'
import { MemoryEventLog } from '../unit/bus/memory-event-log.ts'

const logs: Record<string, () => PrunableEventLog> = {
  MemoryEventLog: () => new MemoryEventLog(),
  SqliteEventLog: () => {
    const store = openStore(join(temporaryFolder(), 'grabber.db'))
    onCleanUp(() => store.close())
    return new SqliteEventLog(store)
  },
}

const SUBJECT = 'grabber.edge.events.lobby.motion'
const ids = (stored: { event: { id: string } }[]) => stored.map(({ event }) => event.id)

afterEach(cleanUp)

describe.each(Object.entries(logs))('%s as an EventLog', (_name, make) => {
  function filled(count: number): PrunableEventLog {
    const log = make()
    for (let n = 0; n < count; n++) log.append(SUBJECT, motionEvent(n))
    return log
  }

  it('stores an event once, by id', () => {
    const log = make()
    expect(log.append(SUBJECT, motionEvent('a'))).toBe(true)
    expect(log.append(SUBJECT, motionEvent('a'))).toBe(false)
    expect(log.append(SUBJECT, motionEvent('b'))).toBe(true)
    expect(log.depth()).toBe(2)
    expect(ids(log.unpublished(10))).toEqual([motionEvent('a').id, motionEvent('b').id])
  })

  it('gives back what it was given', () => {
    const log = make()
    const event = motionEvent('a')
    log.append(SUBJECT, event)
    expect(log.unpublished(1)).toEqual([{ position: expect.any(Number), subject: SUBJECT, event }])
  })

  it('is not changed by what the caller does to the event later', () => {
    const log = make()
    const event = motionEvent('a')
    log.append(SUBJECT, event)
    event.data.areaRatio = 1
    expect(log.unpublished(1)[0]!.event.data).toMatchObject({ areaRatio: 0.25 })
  })

  it('lists unpublished events in order, up to the limit, until they are marked', () => {
    const log = filled(5)
    const first = log.unpublished(3)
    expect(ids(first)).toEqual([0, 1, 2].map((n) => motionEvent(n).id))
    log.markPublished(first[1]!.position)
    log.markPublished(first[1]!.position)
    expect(log.depth()).toBe(4)
    expect(ids(log.unpublished(3))).toEqual([0, 2, 3].map((n) => motionEvent(n).id))
  })

  it('shows recent events newest first, of all cameras or of one', () => {
    const log = make()
    for (const [n, camera] of ['lobby', 'yard', 'lobby', 'yard'].entries()) {
      log.append(SUBJECT, motionEvent(n, camera))
    }
    log.markPublished(log.unpublished(1)[0]!.position)
    expect(log.recent(3).map(({ event }) => event.subject)).toEqual(['yard', 'lobby', 'yard'])
    expect(ids(log.recent(9, 'lobby'))).toEqual([motionEvent(2, 'lobby').id, motionEvent(0, 'lobby').id])
    expect(log.recent(9, 'gate')).toEqual([])
    expect(log.recent(0)).toEqual([])
  })

  it('prunes the oldest published events, a bounded number at a time, and still knows their ids', () => {
    const log = filled(100)
    for (const { position } of log.unpublished(100)) log.markPublished(position)
    expect(log.prune(100)).toBe(0)
    expect(log.prune(10)).toBe(PRUNE_BATCH)
    let removed = PRUNE_BATCH
    for (let n = log.prune(10); n > 0; n = log.prune(10)) {
      expect(n).toBeLessThanOrEqual(PRUNE_BATCH)
      removed += n
    }
    expect(removed).toBe(90)
    expect(ids(log.recent(100))).toEqual(Array.from({ length: 10 }, (_, n) => motionEvent(99 - n).id))
    expect(log.append(SUBJECT, motionEvent(0))).toBe(false)
    expect(log.append(SUBJECT, motionEvent(99))).toBe(false)
    expect(log.depth()).toBe(0)
  })

  it('never prunes an event that waits, nor one behind it', () => {
    const log = filled(6)
    const stored = log.unpublished(6)
    for (const n of [0, 1, 3, 4]) log.markPublished(stored[n]!.position)
    expect(log.prune(0)).toBe(2)
    expect(log.prune(0)).toBe(0)
    expect(ids(log.unpublished(9))).toEqual([2, 5].map((n) => motionEvent(n).id))
    expect(log.recent(9)).toHaveLength(4)
  })

  it('never uses a position again', () => {
    const log = filled(2)
    const [, last] = log.unpublished(2)
    for (const { position } of log.unpublished(2)) log.markPublished(position)
    log.prune(0)
    log.append(SUBJECT, motionEvent('later'))
    expect(log.unpublished(1)[0]!.position).toBeGreaterThan(last!.position)
  })
})
