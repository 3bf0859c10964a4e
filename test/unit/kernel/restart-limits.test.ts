/** Back-off, intensity and period, escalation, quarantine. */
import { describe, expect, test } from 'vitest'
import { RestartWindow } from '../../../actors/kernel/restart-window.ts'
import { Supervisor } from '../../../actors/kernel/supervisor.ts'
import { exitNow, Nursery, states } from './nursery.ts'

const quarantine = { intensity: 1, onExceeded: { quarantineProbeMs: 5000 } }

describe('back-off', () => {
  test('grows with each failure and starts anew after a healthy stretch', async () => {
    const nursery = new Nursery()
    await nursery.start([nursery.child('a')], { intensity: 100 })
    for (const delayMs of [100, 200, 400]) {
      await nursery.crash('a')
      await nursery.clock.advance(delayMs)
    }
    expect(nursery.starts('a')).toBe(4)
    await nursery.clock.advance(9999)
    await nursery.crash('a')
    await nursery.clock.advance(800)
    await nursery.clock.advance(10_000)
    await nursery.crash('a')
    const delays = nursery.transitions.filter((t) => t.event === 'backing_off').map((t) => t.delayMs)
    expect(delays).toEqual([100, 200, 400, 800, 100])
    expect(nursery.story('a').filter((event) => event === 'recovered')).toHaveLength(1)
  })
})

describe('intensity and period', () => {
  test('the window counts a restart at its edge and forgets it one millisecond later', () => {
    const window = new RestartWindow(1, 1000)
    expect(window.exceededBy(0)).toBe(false)
    expect(window.exceededBy(1000)).toBe(true)
    const later = new RestartWindow(1, 1000)
    expect(later.exceededBy(0)).toBe(false)
    expect(later.exceededBy(1001)).toBe(false)
  })

  test('one restart too many stops the children and exits as a crash with the last code', async () => {
    const nursery = new Nursery()
    const supervisor = await nursery.start([nursery.child('a'), nursery.child('b')], { intensity: 2 })
    for (const id of ['a', 'b']) {
      await nursery.crash(id)
      await nursery.clock.advance(200)
    }
    expect(await exitNow(supervisor)).toBeUndefined()
    await nursery.crash('a', 'disk full')
    expect(await exitNow(supervisor)).toMatchObject({
      kind: 'crash',
      error: { code: 'SRC_TIMEOUT', message: expect.stringContaining('disk full') },
    })
    expect(nursery.log.at(-1)).toBe('-b')
    expect(supervisor.inspect().state).toBe('stopped')
  })

  test('restarts spread over more than the period do not add up', async () => {
    const nursery = new Nursery()
    const supervisor = await nursery.start([nursery.child('a')], { intensity: 1, periodMs: 1000, backoffResetMs: 900 })
    for (let i = 0; i < 10; i++) {
      await nursery.crash('a')
      await nursery.clock.advance(1001)
    }
    expect(await exitNow(supervisor)).toBeUndefined()
    expect(nursery.starts('a')).toBe(11)
  })

  test('a permanent child that keeps ending normally is a failure too', async () => {
    const nursery = new Nursery()
    const supervisor = await nursery.start([nursery.child('a')], { intensity: 0 })
    nursery.life('a').exit({ kind: 'normal' })
    expect(await exitNow(supervisor)).toMatchObject({ kind: 'crash', error: { code: 'ACT_DEFECT' } })
  })

  test('escalation climbs: the outer supervisor restarts the inner one as a whole', async () => {
    const nursery = new Nursery()
    const leaves = [nursery.child('x'), nursery.child('y')]
    const inner = nursery.spec(leaves, { id: 'inner', intensity: 0, strategy: 'one_for_all' })
    const paths: string[] = []
    const outer = await nursery.start([
      {
        id: 'inner',
        restart: 'permanent',
        shutdownMs: 1000,
        start: ({ path }) => {
          paths.push(path)
          return Supervisor.start(inner, { clock: nursery.clock, logger: nursery.logger, path })
        },
      },
    ])
    expect(outer.inspect().children[0]?.detail).toMatchObject({
      path: 'top/inner',
      children: [{ id: 'x' }, { id: 'y' }],
    })
    await nursery.crash('x')
    expect(states(outer)).toEqual({ inner: 'backing_off' })
    await nursery.clock.advance(100)
    expect(nursery.log).toEqual(['+x', '+y', '-y', '+x', '+y'])
    await outer.stop()
    expect(nursery.log.slice(5)).toEqual(['-y', '-x'])
    expect(paths).toEqual(['top/inner', 'top/inner'])
  })
})

describe('quarantine', () => {
  test('one restart too many: probed once per interval, and free after a healthy stretch', async () => {
    const nursery = new Nursery()
    const supervisor = await nursery.start([nursery.child('a'), nursery.child('b')], quarantine)
    await nursery.crash('a')
    await nursery.clock.advance(100)
    await nursery.crash('a')
    expect(states(supervisor)).toEqual({ a: 'quarantined', b: 'running' })
    expect(supervisor.inspect().children[0]?.nextRetryMs).toBe(5000)
    for (let probe = 0; probe < 4; probe++) {
      await nursery.clock.advance(4999)
      expect(nursery.starts('a')).toBe(2 + probe)
      await nursery.clock.advance(1)
      expect(nursery.starts('a')).toBe(3 + probe)
      expect(supervisor.inspect().children[0]).toMatchObject({ state: 'quarantined', nextRetryMs: null })
      if (probe < 3) await nursery.crash('a')
    }
    await nursery.clock.advance(9999)
    expect(states(supervisor).a).toBe('quarantined')
    await nursery.clock.advance(1)
    expect(states(supervisor)).toEqual({ a: 'running', b: 'running' })
    await nursery.crash('a')
    expect(supervisor.inspect().children[0]).toMatchObject({ state: 'backing_off', nextRetryMs: 100 })
    expect(await exitNow(supervisor)).toBeUndefined()
  })

  test('one child is not judged by the crashes of another', async () => {
    const nursery = new Nursery()
    const supervisor = await nursery.start([nursery.child('a'), nursery.child('b')], quarantine)
    await nursery.crash('a')
    await nursery.crash('b')
    expect(states(supervisor)).toEqual({ a: 'backing_off', b: 'backing_off' })
  })

  test('those that fall together wait together for the probe', async () => {
    const nursery = new Nursery()
    const children = [nursery.child('a'), nursery.child('b')]
    const supervisor = await nursery.start(children, { ...quarantine, intensity: 0, strategy: 'one_for_all' })
    await nursery.crash('b')
    expect(states(supervisor)).toEqual({ a: 'stopped', b: 'quarantined' })
    await nursery.clock.advance(5000)
    expect(nursery.log).toEqual(['+a', '+b', '-a', '+a', '+b'])
  })

  test('restart by a person ends it', async () => {
    const nursery = new Nursery()
    const supervisor = await nursery.start([nursery.child('a')], { ...quarantine, intensity: 0 })
    await nursery.crash('a')
    expect(states(supervisor)).toEqual({ a: 'quarantined' })
    await supervisor.restart('a')
    expect(states(supervisor)).toEqual({ a: 'running' })
  })
})

describe('what an owner knows better', () => {
  test('a restart waits as long as the owner says, when that is longer', async () => {
    let leastMs = 5000
    const nursery = new Nursery()
    await nursery.start([nursery.child('a')], { leastDelayMs: () => leastMs })
    await nursery.crash('a')
    await nursery.clock.advance(4999)
    expect(nursery.starts('a')).toBe(1)
    await nursery.clock.advance(1)
    expect(nursery.starts('a')).toBe(2)
    leastMs = 1
    await nursery.crash('a')
    await nursery.clock.advance(199)
    expect(nursery.starts('a')).toBe(2)
    await nursery.clock.advance(1)
    expect(nursery.starts('a')).toBe(3)
  })

  test('without backoffResetMs, running is not health: only the owner forgives', async () => {
    const nursery = new Nursery()
    const supervisor = await nursery.start([nursery.child('a')], {
      backoffResetMs: null,
      intensity: 1,
      onExceeded: { quarantineProbeMs: 5000 },
    })
    await nursery.crash('a')
    await nursery.clock.advance(100)
    await nursery.crash('a')
    await nursery.clock.advance(5000)
    await nursery.clock.advance(3_600_000)
    expect(supervisor.inspect().children[0]).toMatchObject({ state: 'quarantined', attempt: 2 })
    supervisor.forgive('a')
    expect(supervisor.inspect().children[0]).toMatchObject({ state: 'running', breaker: 'closed', attempt: 0 })
    supervisor.forgive('a')
    expect(nursery.story('a').filter((event) => event === 'recovered')).toHaveLength(1)
    expect(() => supervisor.forgive('nobody')).toThrow(/no child nobody/)
    await nursery.crash('a')
    await nursery.clock.advance(100)
    expect(nursery.starts('a')).toBe(4)
  })
})
