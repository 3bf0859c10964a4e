/** Quarantine in the words of a circuit breaker, and failures that weigh more than one. */
import { describe, expect, test } from 'vitest'
import { RestartWindow } from '../../../actors/kernel/restart-window.ts'
import { enginePolicy } from '../../../actors/policies.ts'
import { GrabberError } from '../../../core/errors.ts'
import { Nursery } from './nursery.ts'

const quarantine = { intensity: 1, onExceeded: { quarantineProbeMs: 5000 } }

describe('the breaker', () => {
  test('is closed, open in quarantine, half-open under a probe, and closed when the probe survived', async () => {
    const nursery = new Nursery()
    const supervisor = await nursery.start([nursery.child('a')], quarantine)
    const now = () => supervisor.inspect().children[0]?.breaker
    const seen = [now()]
    await nursery.crash('a')
    seen.push(now())
    await nursery.clock.advance(100)
    await nursery.crash('a')
    seen.push(now())
    await nursery.clock.advance(5000)
    seen.push(now())
    await nursery.crash('a')
    seen.push(now())
    await nursery.clock.advance(5000)
    await nursery.clock.advance(10_000)
    seen.push(now())
    expect(seen).toEqual(['closed', 'closed', 'open', 'half-open', 'open', 'closed'])
    const told = nursery.transitions.map(({ event, breaker }) => `${event} ${breaker}`)
    expect(told).toEqual([
      'started closed',
      'crashed closed',
      'backing_off closed',
      'started closed',
      'crashed closed',
      'quarantined open',
      'started half-open',
      'crashed open',
      'quarantined open',
      'started half-open',
      'recovered closed',
    ])
  })

  test('is half-open while the probe is starting, too', async () => {
    const nursery = new Nursery()
    let starts = 0
    const child = nursery.child('a', { onStart: () => (++starts === 3 ? new Promise(() => {}) : undefined) })
    const supervisor = await nursery.start([child], quarantine)
    await nursery.crash('a')
    await nursery.clock.advance(100)
    await nursery.crash('a')
    await nursery.clock.advance(5000)
    expect(supervisor.inspect().children[0]).toMatchObject({ state: 'quarantined', breaker: 'half-open' })
  })
})

describe('the weight of a failure', () => {
  const after = (waitedMs?: number) =>
    new GrabberError('ENG_HUNG', 'hung', { context: waitedMs === undefined ? {} : { waitedMs } })

  test('grows with the time that it kept its callers waiting', () => {
    expect([undefined, 9999, 10_400, 30_000, 60_000].map((ms) => enginePolicy.weigh?.(after(ms)))).toEqual([
      1, 1, 2, 4, 7,
    ])
  })

  test.for([
    ['a CPU', 10_400, 1000, 3],
    ['a GPU', 30_400, 1000, 2],
    ['a start that never ends', 60_000, 1000, 1],
  ] as const)('hangs of %s open the breaker, though they are seldom', ([, hangMs, restartMs, hangs]) => {
    const window = new RestartWindow(enginePolicy.intensity, enginePolicy.periodMs)
    let count = 0
    let open = false
    for (let nowMs = hangMs; !open && count < 20; nowMs += hangMs + restartMs) {
      open = window.exceededBy(nowMs, enginePolicy.weigh?.(after(hangMs)))
      count++
    }
    expect([open, count]).toEqual([true, hangs])
  })

  test('one heavy failure counts as many, and leaves the window together', () => {
    const window = new RestartWindow(3, 1000)
    expect(window.exceededBy(0, 3)).toBe(false)
    expect(window.exceededBy(1000)).toBe(true)
    expect(window.exceededBy(1001)).toBe(false)
  })
})
