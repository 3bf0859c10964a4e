import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BatchLimit } from '../../../models/batch-limit.ts'
import { Batcher, type BatchItem } from '../../../models/batcher.ts'
import { VirtualClock } from '../virtual-clock.ts'

interface Item extends BatchItem {
  name: string
}

const item = (name: string, session = 1, lane = 'a', options: Partial<BatchItem> = {}): Item => ({
  name,
  session,
  lane,
  alone: false,
  expiresInMs: null,
  ...options,
})

function bench({ max = 4, maxWaitMs = 100, queueLimit = 100 } = {}) {
  const clock = new VirtualClock(0)
  const batches: string[][] = []
  const waits: number[][] = []
  const expired: string[] = []
  const batcher = new Batcher<Item>({
    clock,
    maxWaitMs,
    queueLimit,
    limit: () => max,
    run: (items, waitedMs) => {
      batches.push(items.map(({ name }) => name))
      waits.push(waitedMs)
    },
    expired: ({ name }) => expired.push(name),
  })
  return { clock, batches, waits, expired, batcher }
}

describe('Batcher', () => {
  test('an idle device starts at once, and what comes meanwhile shares the next batch', () => {
    const { batcher, batches } = bench()
    for (const name of ['1', '2', '3', '4', '5', '6']) batcher.submit(item(name))
    expect(batches).toEqual([['1']])
    batcher.done()
    expect(batches).toEqual([['1'], ['2', '3', '4', '5']])
    batcher.done()
    batcher.done()
    expect(batches.at(-1)).toEqual(['6'])
    expect(batcher.busy).toBe(false)
  })

  test('sessions take turns, and each keeps its order', () => {
    const { batcher, batches } = bench({ max: 3 })
    batcher.submit(item('first', 9))
    for (const name of ['a1', 'a2', 'a3', 'a4']) batcher.submit(item(name, 1))
    batcher.submit(item('b1', 2))
    batcher.submit(item('c1', 3))
    batcher.submit(item('c2', 3))
    for (let n = 0; n < 3; n++) batcher.done()
    expect(batches).toEqual([['first'], ['a1', 'b1', 'c1'], ['a2', 'c2', 'a3'], ['a4']])
  })

  test('the turn goes on where the last batch ended', () => {
    const { batcher, batches } = bench({ max: 1 })
    batcher.submit(item('first', 9))
    for (const name of ['a1', 'a2', 'a3']) batcher.submit(item(name, 1))
    for (const name of ['b1', 'b2']) batcher.submit(item(name, 2))
    for (let n = 0; n < 5; n++) batcher.done()
    expect(batches.flat()).toEqual(['first', 'a1', 'b1', 'a2', 'b2', 'a3'])
  })

  test('lanes do not mix; the fullest goes first until somebody waited maxWaitMs', () => {
    const { batcher, batches, clock } = bench()
    batcher.submit(item('first'))
    batcher.submit(item('rare', 2, 'b'))
    clock.advanceSync(10)
    for (const name of ['1', '2', '3', '4', '5', '6', '7', '8']) batcher.submit(item(name))
    batcher.done()
    expect(batches.at(-1)).toEqual(['1', '2', '3', '4'])
    clock.advanceSync(90)
    batcher.done()
    expect(batches.at(-1)).toEqual(['rare'])
    batcher.done()
    expect(batches.at(-1)).toEqual(['5', '6', '7', '8'])
  })

  test('of lanes equally full the one that waits longer goes first', () => {
    const { batcher, batches, clock } = bench()
    batcher.submit(item('first'))
    batcher.submit(item('older', 1, 'b'))
    clock.advanceSync(1)
    batcher.submit(item('younger', 1, 'a'))
    batcher.done()
    expect(batches.at(-1)).toEqual(['older'])
  })

  test('a second attempt runs alone', () => {
    const { batcher, batches } = bench()
    batcher.submit(item('first'))
    batcher.submit(item('1', 1, 'a', { alone: true }))
    batcher.submit(item('2', 2, 'a', { alone: true }))
    batcher.submit(item('3', 3))
    for (let n = 0; n < 3; n++) batcher.done()
    expect(batches.map((batch) => batch.length)).toEqual([1, 1, 1, 1])
    expect(batches.flat().sort()).toEqual(['1', '2', '3', 'first'])
  })

  test('refuses beyond the bound, which the running batch is no part of', () => {
    const { batcher } = bench({ queueLimit: 2 })
    expect(['1', '2', '3', '4'].map((name) => batcher.submit(item(name)))).toEqual([true, true, true, false])
    expect(batcher.depth).toBe(2)
    batcher.done()
    expect(batcher.submit(item('5'))).toBe(true)
  })

  test('expires what waited too long, while the device is busy', () => {
    const { batcher, batches, expired, clock } = bench()
    batcher.submit(item('first', 1, 'a', { expiresInMs: 50 }))
    batcher.submit(item('late', 1, 'a', { expiresInMs: 50 }))
    batcher.submit(item('patient', 1, 'a'))
    clock.advanceSync(49)
    expect(expired).toEqual([])
    clock.advanceSync(1)
    expect(expired).toEqual(['late'])
    batcher.done()
    expect(batches).toEqual([['first'], ['patient']])
    expect(clock.pendingTimers).toBe(0)
  })

  test('does not run what is past its deadline when the timers are late', () => {
    const { batcher, batches, expired, clock } = bench()
    batcher.submit(item('first'))
    batcher.submit(item('late', 1, 'a', { expiresInMs: 50 }))
    batcher.submit(item('good', 2, 'a'))
    clock.stall(60)
    batcher.done()
    expect(expired).toEqual(['late'])
    expect(batches.at(-1)).toEqual(['good'])
    clock.advanceSync(100)
    expect(expired).toEqual(['late'])
  })

  test('reports how long each waited', () => {
    const { batcher, waits, clock } = bench()
    batcher.submit(item('first'))
    batcher.submit(item('1'))
    clock.advanceSync(7)
    batcher.submit(item('2'))
    clock.advanceSync(3)
    batcher.done()
    expect(waits).toEqual([[0], [10, 3]])
  })

  test('forgets a session that left, and no other', () => {
    const { batcher, batches, clock } = bench()
    batcher.submit(item('first', 1))
    batcher.submit(item('a', 1, 'a', { expiresInMs: 10 }))
    batcher.submit(item('b', 1, 'b', { alone: true }))
    batcher.submit(item('c', 2))
    expect(batcher.leave(1)).toBe(2)
    expect(batcher.depth).toBe(1)
    expect(clock.pendingTimers).toBe(0)
    batcher.done()
    expect(batches).toEqual([['first'], ['c']])
  })

  test('each request has exactly one fate, batches are of one lane and within the bounds', () => {
    const command = fc.oneof(
      fc.record({
        do: fc.constant('submit' as const),
        session: fc.integer({ min: 1, max: 4 }),
        lane: fc.constantFrom('a', 'b', 'c'),
        alone: fc.boolean(),
        expiresInMs: fc.option(fc.integer({ min: 0, max: 60 })),
      }),
      fc.record({ do: fc.constant('done' as const) }),
      fc.record({ do: fc.constantFrom('advance' as const, 'stall' as const), ms: fc.integer({ min: 0, max: 80 }) }),
      fc.record({ do: fc.constant('leave' as const), session: fc.integer({ min: 1, max: 4 }) }),
    )
    fc.assert(
      fc.property(fc.array(command, { maxLength: 120 }), fc.integer({ min: 1, max: 4 }), (commands, max) => {
        const clock = new VirtualClock(0)
        const fates = new Map<string, string[]>()
        const queued = new Map<string, number>()
        const settle = (name: string, fate: string) => {
          fates.get(name)!.push(fate)
          queued.delete(name)
        }
        const batcher = new Batcher<Item>({
          clock,
          maxWaitMs: 30,
          queueLimit: 10,
          limit: () => max,
          run: (items) => {
            expect(items.length).toBeGreaterThan(0)
            expect(items.length).toBeLessThanOrEqual(max)
            expect(new Set(items.map(({ lane }) => lane)).size).toBe(1)
            if (items.some(({ alone }) => alone)) expect(items.length).toBe(1)
            for (const { name } of items) settle(name, 'run')
          },
          expired: ({ name }) => settle(name, 'expired'),
        })
        for (const [n, it] of commands.entries()) {
          if (it.do === 'submit') {
            const name = String(n)
            fates.set(name, [])
            queued.set(name, it.session)
            const { session, lane, alone, expiresInMs } = it
            if (!batcher.submit({ name, session, lane, alone, expiresInMs })) settle(name, 'full')
          } else if (it.do === 'done') {
            if (batcher.busy) batcher.done()
          } else if (it.do === 'leave') {
            const theirs = [...queued].filter(([, session]) => session === it.session)
            expect(batcher.leave(it.session)).toBe(theirs.length)
            for (const [name] of theirs) settle(name, 'left')
          } else clock[it.do](it.ms)
          expect(batcher.depth).toBe(queued.size)
          expect(batcher.depth).toBeLessThanOrEqual(10)
          if (batcher.depth > 0) expect(batcher.busy).toBe(true)
        }
        while (batcher.busy) batcher.done()
        expect(batcher.depth).toBe(0)
        for (const fate of fates.values()) expect(fate.length).toBe(1)
        clock.advanceSync(1000)
        for (const fate of fates.values()) expect(fate.length).toBe(1)
      }),
    )
  })
})

describe('BatchLimit', () => {
  test('halves on a failure, down to one, and grows back by full batches only', () => {
    const limit = new BatchLimit(8)
    limit.failed()
    expect(limit.value).toBe(4)
    for (let n = 0; n < 100; n++) limit.succeeded(3)
    expect(limit.value).toBe(4)
    for (let n = 0; n < 16; n++) limit.succeeded(4)
    expect(limit.value).toBe(5)
    for (let n = 0; n < 5; n++) limit.failed()
    expect(limit.value).toBe(1)
    for (let n = 0; n < 16 * 50; n++) limit.succeeded(8)
    expect(limit.value).toBe(8)
  })
})
