import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Batcher, type BatchItem } from '../../../models/batcher.ts'
import { VirtualClock } from '../virtual-clock.ts'

interface Item extends BatchItem {
  name: string
}

const item = (name: string, session = 1, lane = 'a', options: Partial<BatchItem> = {}): Item => ({
  name,
  session,
  lane,
  weight: 1,
  alone: false,
  expiresInMs: null,
  ...options,
})

/** A batcher with a device that is busy from each batch until `done`. */
class Line {
  readonly clock = new VirtualClock(0)
  readonly batches: string[][] = []
  readonly waits: number[][] = []
  readonly expired: string[] = []
  readonly batcher: Batcher<Item>
  busy = false

  constructor({ max = 4, maxWaitMs = 100, queueLimit = 100, cost = (_: Item) => 1 } = {}) {
    this.batcher = new Batcher<Item>({
      clock: this.clock,
      maxWaitMs,
      queueLimit,
      limit: () => max,
      cost,
      reclaim: () => true,
      expired: ({ name }) => this.expired.push(name),
    })
  }

  submit(one: Item): boolean {
    const accepted = this.batcher.submit(one)
    this.#supply()
    return accepted
  }

  done(): void {
    this.busy = false
    this.#supply()
  }

  #supply(): void {
    if (this.busy) return
    const selection = this.batcher.select()
    if (selection === undefined) return
    this.busy = true
    this.waits.push(this.batcher.commit(selection))
    this.batches.push(selection.items.map(({ name }) => name))
  }
}

function bench(options = {}) {
  const line = new Line(options)
  const { batches, clock, waits, expired, batcher } = line
  return { line, batches, clock, waits, expired, batcher }
}

describe('Batcher', () => {
  test('an idle device starts at once, and what comes meanwhile shares the next batch', () => {
    const { line, batches } = bench()
    for (const name of ['1', '2', '3', '4', '5', '6']) line.submit(item(name))
    expect(batches).toEqual([['1']])
    line.done()
    expect(batches).toEqual([['1'], ['2', '3', '4', '5']])
    line.done()
    line.done()
    expect(batches.at(-1)).toEqual(['6'])
    expect(line.busy).toBe(false)
  })

  test('sessions take turns, and each keeps its order', () => {
    const { line, batches } = bench({ max: 3 })
    line.submit(item('first', 9))
    for (const name of ['a1', 'a2', 'a3', 'a4']) line.submit(item(name, 1))
    line.submit(item('b1', 2))
    line.submit(item('c1', 3))
    line.submit(item('c2', 3))
    for (let n = 0; n < 3; n++) line.done()
    expect(batches).toEqual([['first'], ['a1', 'b1', 'c1'], ['a2', 'c2', 'a3'], ['a4']])
  })

  test('the turn goes on where the last batch ended', () => {
    const { line, batches } = bench({ max: 1 })
    line.submit(item('first', 9))
    for (const name of ['a1', 'a2', 'a3']) line.submit(item(name, 1))
    for (const name of ['b1', 'b2']) line.submit(item(name, 2))
    for (let n = 0; n < 5; n++) line.done()
    expect(batches.flat()).toEqual(['first', 'a1', 'b1', 'a2', 'b2', 'a3'])
  })

  test('lanes do not mix; the fullest goes first until somebody waited maxWaitMs', () => {
    const { line, batches, clock } = bench()
    line.submit(item('first'))
    line.submit(item('rare', 2, 'b'))
    clock.advanceSync(10)
    for (const name of ['1', '2', '3', '4', '5', '6', '7', '8']) line.submit(item(name))
    line.done()
    expect(batches.at(-1)).toEqual(['1', '2', '3', '4'])
    clock.advanceSync(90)
    line.done()
    expect(batches.at(-1)).toEqual(['rare'])
    line.done()
    expect(batches.at(-1)).toEqual(['5', '6', '7', '8'])
  })

  test('of lanes equally full the one that waits longer goes first', () => {
    const { line, batches, clock } = bench()
    line.submit(item('first'))
    line.submit(item('older', 1, 'b'))
    clock.advanceSync(1)
    line.submit(item('younger', 1, 'a'))
    line.done()
    expect(batches.at(-1)).toEqual(['older'])
  })

  test('a second attempt runs alone', () => {
    const { line, batches } = bench()
    line.submit(item('first'))
    line.submit(item('1', 1, 'a', { alone: true }))
    line.submit(item('2', 2, 'a', { alone: true }))
    line.submit(item('3', 3))
    for (let n = 0; n < 3; n++) line.done()
    expect(batches.map((batch) => batch.length)).toEqual([1, 1, 1, 1])
    expect(batches.flat().sort()).toEqual(['1', '2', '3', 'first'])
  })

  test('refuses beyond the bound, which the running batch is no part of', () => {
    const { line, batcher } = bench({ queueLimit: 2 })
    expect(['1', '2', '3', '4'].map((name) => line.submit(item(name)))).toEqual([true, true, true, false])
    expect(batcher.depth).toBe(2)
    line.done()
    expect(line.submit(item('5'))).toBe(true)
  })

  test('expires what waited too long, while the device is busy', () => {
    const { line, batches, expired, clock } = bench()
    line.submit(item('first', 1, 'a', { expiresInMs: 50 }))
    line.submit(item('late', 1, 'a', { expiresInMs: 50 }))
    line.submit(item('patient', 1, 'a'))
    clock.advanceSync(49)
    expect(expired).toEqual([])
    clock.advanceSync(1)
    expect(expired).toEqual(['late'])
    line.done()
    expect(batches).toEqual([['first'], ['patient']])
    expect(clock.pendingTimers).toBe(0)
  })

  test('does not run what is past its deadline when the timers are late', () => {
    const { line, batches, expired, clock } = bench()
    line.submit(item('first'))
    line.submit(item('late', 1, 'a', { expiresInMs: 50 }))
    line.submit(item('good', 2, 'a'))
    clock.stall(60)
    line.done()
    expect(batches.at(-1)).toEqual(['good'])
    clock.advanceSync(0)
    expect(expired).toEqual(['late'])
    line.done()
    expect(batches.at(-1)).toEqual(['good'])
  })

  test('reports how long each waited', () => {
    const { line, waits, clock } = bench()
    line.submit(item('first'))
    line.submit(item('1'))
    clock.advanceSync(7)
    line.submit(item('2'))
    clock.advanceSync(3)
    line.done()
    expect(waits).toEqual([[0], [10, 3]])
  })

  test('forgets a session that left, and no other', () => {
    const { line, batcher, batches, clock } = bench()
    line.submit(item('first', 1))
    line.submit(item('a', 1, 'a', { expiresInMs: 10 }))
    line.submit(item('b', 1, 'b', { alone: true }))
    line.submit(item('c', 2))
    expect(batcher.leave(1).map(({ name }) => name)).toEqual(['a', 'b'])
    expect(batcher.depth).toBe(1)
    expect(clock.pendingTimers).toBe(0)
    line.done()
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
        let busy = false
        const batcher = new Batcher<Item>({
          clock,
          maxWaitMs: 30,
          queueLimit: 10,
          limit: () => max,
          cost: ({ lane }) => lane.charCodeAt(0),
          reclaim: () => true,
          expired: ({ name }) => settle(name, 'expired'),
        })
        const supply = () => {
          const selection = busy ? undefined : batcher.select()
          if (selection === undefined) return
          busy = true
          const depth = batcher.depth
          const { items } = selection
          expect(batcher.commit(selection)).toHaveLength(items.length)
          expect(batcher.depth).toBe(depth - items.length)
          expect(items.length).toBeGreaterThan(0)
          expect(items.length).toBeLessThanOrEqual(max)
          expect(new Set(items.map(({ lane }) => lane)).size).toBe(1)
          if (items.some(({ alone }) => alone)) expect(items.length).toBe(1)
          for (const { name } of items) settle(name, 'run')
        }
        const done = () => {
          busy = false
          supply()
        }
        for (const [n, it] of commands.entries()) {
          if (it.do === 'submit') {
            const name = String(n)
            fates.set(name, [])
            queued.set(name, it.session)
            const { session, lane, alone, expiresInMs } = it
            if (!batcher.submit({ name, session, weight: session, lane, alone, expiresInMs })) settle(name, 'full')
            supply()
          } else if (it.do === 'done') {
            done()
          } else if (it.do === 'leave') {
            const theirs = [...queued].filter(([, session]) => session === it.session)
            expect(batcher.leave(it.session)).toHaveLength(theirs.length)
            for (const [name] of theirs) settle(name, 'left')
          } else clock[it.do](it.ms)
          expect(batcher.depth).toBe(queued.size)
          expect(batcher.depth).toBeLessThanOrEqual(10)
        }
        clock.advanceSync(0)
        for (let left = -1; left !== batcher.depth; ) {
          left = batcher.depth
          done()
        }
        expect(batcher.depth).toBe(0)
        for (const fate of fates.values()) expect(fate.length).toBe(1)
        clock.advanceSync(1000)
        for (const fate of fates.values()) expect(fate.length).toBe(1)
      }),
    )
  })
})
