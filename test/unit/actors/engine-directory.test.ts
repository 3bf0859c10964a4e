import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EngineDirectory, type Seat } from '../../../actors/engine-directory.ts'
import type { EngineNews } from '../../../core/wire/control.ts'

let incarnations = 0
const endpoint = () => ({ socketPath: `/e${++incarnations}`, incarnation: incarnations })

/** Sessions that note what they are told. */
class Sessions {
  readonly directory = new EngineDirectory()
  readonly seats: Seat[] = []
  readonly told: EngineNews[][] = []

  constructor(engines: readonly string[]) {
    for (const id of engines) this.directory.set(id, endpoint())
  }

  join(count = 1): void {
    for (let n = 0; n < count; n++) {
      const told: EngineNews[] = []
      this.told.push(told)
      this.seats.push(this.directory.seat((news) => told.push(news)))
    }
  }

  /** Engine of each session. */
  get at(): (string | null)[] {
    const ids = ['a', 'b', 'c']
    return this.seats.map(
      ({ news }) => ids.find((id) => news.engine && this.directory.endpointOf(id) === news.engine) ?? null,
    )
  }

  counts(): number[] {
    return ['a', 'b', 'c'].map((id) => this.directory.seatsAt(id))
  }

  look(times: number): void {
    for (let n = 0; n < times; n++) this.directory.rebalance()
  }
}

describe('placement', () => {
  test('spreads sessions evenly, ties in the order in which engines joined', () => {
    const sessions = new Sessions(['a', 'b', 'c'])
    sessions.join(7)
    expect(sessions.at).toEqual(['a', 'b', 'c', 'a', 'b', 'c', 'a'])
    expect(sessions.told.flat()).toEqual([])
  })

  test('a queue and a latency weigh as sessions do', () => {
    const sessions = new Sessions(['a', 'b'])
    sessions.directory.measure('a', { queueDepth: 16, latencyMs: 200 })
    sessions.join(5)
    expect(sessions.at).toEqual(['b', 'b', 'b', 'a', 'b'])
  })

  test('a dead engine gives its sessions to the others at once; theirs hear nothing', () => {
    const sessions = new Sessions(['a', 'b', 'c'])
    sessions.join(6)
    sessions.directory.set('b', null)
    expect(sessions.counts()).toEqual([3, 0, 3])
    expect(sessions.told.map((told) => told.map(({ why }) => why))).toEqual([[], ['placed'], [], [], ['placed'], []])
    expect(sessions.told[1]?.[0]?.engine).toEqual(sessions.directory.endpointOf('a'))
  })

  test('the last engine to die leaves nobody with one; the first to come back takes them all', () => {
    const sessions = new Sessions(['a', 'b'])
    sessions.join(2)
    sessions.directory.set('a', null)
    sessions.directory.set('b', null)
    expect(sessions.at).toEqual([null, null])
    expect(sessions.told[1]?.at(-1)).toEqual({ engine: null, why: 'gone' })
    sessions.directory.set('b', endpoint())
    expect(sessions.at).toEqual(['b', 'b'])
  })

  test('a session that left weighs nothing and hears nothing', () => {
    const sessions = new Sessions(['a', 'b'])
    sessions.join(2)
    sessions.seats[0]?.leave()
    sessions.directory.set('a', null)
    expect(sessions.told[0]).toEqual([])
    sessions.directory.set('a', endpoint())
    sessions.join(2)
    expect(sessions.counts()).toEqual([2, 1, 0])
  })
})

describe('a full device', () => {
  test('takes no new session, and keeps those it has', () => {
    const sessions = new Sessions(['a', 'b'])
    sessions.join(2)
    sessions.directory.setFull('a', true)
    sessions.join(3)
    expect(sessions.at).toEqual(['a', 'b', 'b', 'b', 'b'])
    expect(sessions.told[0]).toEqual([])
  })

  test('takes over from one that died when there is no other', () => {
    const sessions = new Sessions(['a', 'b'])
    sessions.join(2)
    sessions.directory.setFull('b', true)
    sessions.directory.set('a', null)
    expect(sessions.at).toEqual(['b', 'b'])
    sessions.join(1)
    expect(sessions.seats[2]?.news.why).toBe('gone')
    sessions.directory.setBreaker('a', 'open')
    expect(sessions.seats[2]?.news).toEqual({ engine: null, why: 'refused' })
    sessions.directory.setFull('b', false)
    expect(sessions.at).toEqual(['b', 'b', 'b'])
  })
})

describe('the breaker', () => {
  test('sessions are refused at once when every breaker is open, and not before', () => {
    const sessions = new Sessions(['a', 'b'])
    sessions.join(1)
    sessions.directory.set('a', null)
    sessions.directory.set('b', null)
    sessions.directory.setBreaker('a', 'open')
    expect(sessions.seats[0]?.news.why).toBe('gone')
    sessions.directory.setBreaker('b', 'open')
    expect(sessions.seats[0]?.news).toEqual({ engine: null, why: 'refused' })
    sessions.directory.setBreaker('b', 'half-open')
    sessions.directory.set('b', endpoint())
    expect(sessions.at).toEqual(['b'])
  })

  test('an engine on probation serves only while no trusted one lives', () => {
    const sessions = new Sessions(['a', 'b'])
    sessions.directory.setBreaker('a', 'half-open')
    sessions.join(3)
    expect(sessions.at).toEqual(['b', 'b', 'b'])
    sessions.directory.set('b', null)
    expect(sessions.at).toEqual(['a', 'a', 'a'])
  })

  test('where there is no engine at all, none is expected', () => {
    const sessions = new Sessions([])
    sessions.join(1)
    expect(sessions.seats[0]?.news).toEqual({ engine: null, why: 'refused' })
  })
})

describe('rebalancing', () => {
  function afterReturn(): Sessions {
    const sessions = new Sessions(['a', 'b'])
    sessions.join(6)
    sessions.directory.set('b', null)
    sessions.directory.set('b', endpoint())
    return sessions
  }

  test('waits until the engine has settled, then moves one session a look, up to an even share', () => {
    const sessions = afterReturn()
    expect(sessions.counts()).toEqual([6, 0, 0])
    sessions.look(2)
    expect(sessions.counts()).toEqual([6, 0, 0])
    sessions.look(1)
    expect(sessions.counts()).toEqual([5, 1, 0])
    sessions.look(20)
    expect(sessions.counts()).toEqual([3, 3, 0])
    expect(sessions.told.flat().filter(({ why }) => why === 'moved')).toHaveLength(3)
  })

  test('loads that go up and down move nobody once the share is reached', () => {
    const sessions = afterReturn()
    sessions.look(20)
    for (let n = 0; n < 20; n++) {
      for (const [busy, idle] of [['a', 'b'] as const, ['b', 'a'] as const]) {
        sessions.directory.measure(busy, { queueDepth: 100, latencyMs: 5000 })
        sessions.directory.measure(idle, { queueDepth: 0, latencyMs: 10 })
        sessions.look(1)
      }
    }
    expect(sessions.told.flat().filter(({ why }) => why === 'moved')).toHaveLength(3)
  })

  test('new sessions go there at once', () => {
    const sessions = afterReturn()
    sessions.join(2)
    expect(sessions.counts()).toEqual([6, 2, 0])
  })

  test('an engine that keeps dying gets no session moved to it', () => {
    const sessions = afterReturn()
    for (let life = 0; life < 10; life++) {
      sessions.look(2)
      sessions.directory.set('b', null)
      sessions.directory.set('b', endpoint())
    }
    expect(sessions.counts()).toEqual([6, 0, 0])
    expect(sessions.told.flat().filter(({ why }) => why === 'moved')).toEqual([])
  })

  test('one on probation, or full, gets none either', () => {
    const sessions = afterReturn()
    sessions.directory.setBreaker('b', 'half-open')
    sessions.look(20)
    expect(sessions.counts()).toEqual([6, 0, 0])
    sessions.directory.setBreaker('b', 'closed')
    sessions.directory.setFull('b', true)
    sessions.look(20)
    expect(sessions.counts()).toEqual([6, 0, 0])
  })
})

const step = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ do: 'join' } as const) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leave' as const), n: fc.nat(20) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('up' as const, 'down' as const),
      engine: fc.constantFrom('a', 'b', 'c'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('full' as const),
      engine: fc.constantFrom('a', 'b', 'c'),
      full: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('look' as const), times: fc.integer({ min: 1, max: 5 }) }) },
)

test('whatever happens: who had an engine has one while any lives, on a living one, and moves are bounded', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const sessions = new Sessions(['a', 'b', 'c'])
      const gone = new Set<number>()
      let lives = 3
      let mostSessions = 0
      for (const each of steps) {
        if (each.do === 'join') sessions.join()
        else if (each.do === 'leave') {
          sessions.seats[each.n]?.leave()
          if (sessions.seats[each.n]) gone.add(each.n)
        } else if (each.do === 'up') {
          sessions.directory.set(each.engine, endpoint())
          lives++
        } else if (each.do === 'down') sessions.directory.set(each.engine, null)
        else if (each.do === 'full') sessions.directory.setFull(each.engine, each.full)
        else if (each.do === 'look') sessions.look(each.times)
        const present = sessions.seats.filter((_, n) => !gone.has(n))
        mostSessions = Math.max(mostSessions, present.length)
        const living = ['a', 'b', 'c'].flatMap((id) => sessions.directory.endpointOf(id) ?? [])
        for (const [n, { news }] of sessions.seats.entries()) {
          if (gone.has(n)) continue
          if (news.engine !== null) expect(living).toContain(news.engine)
          const hadOne = sessions.told[n]!.some(({ engine }) => engine !== null)
          if (hadOne && living.length > 0) expect(news.engine).not.toBeNull()
        }
        expect(sessions.counts().reduce((sum, n) => sum + n)).toBe(present.filter(({ news }) => news.engine).length)
      }
      const moved = () => sessions.told.flat().filter(({ why }) => why === 'moved').length
      expect(moved()).toBeLessThanOrEqual(lives * mostSessions)
      // It comes to rest.
      sessions.look(mostSessions + 5)
      const rested = moved()
      sessions.look(mostSessions + 5)
      expect(moved()).toBe(rested)
    }),
    { numRuns: 300 },
  )
})
