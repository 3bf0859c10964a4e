/** Start order, strategies, restart types, stopping. Restart limits are in restart-limits.test.ts. */
import { describe, expect, test } from 'vitest'
import { settle } from '../virtual-clock.ts'
import { exitNow, Nursery, states } from './nursery.ts'

describe('start and stop', () => {
  test('starts in order, one after the other, and stops in reverse', async () => {
    const nursery = new Nursery()
    const gate = Promise.withResolvers<void>()
    const children = [nursery.child('a', { onStart: () => gate.promise }), nursery.child('b'), nursery.child('c')]
    const supervisor = await nursery.start(children)
    expect(nursery.log).toEqual([])
    expect(states(supervisor)).toEqual({ a: 'starting', b: 'stopped', c: 'stopped' })
    gate.resolve()
    await supervisor.ready
    expect(nursery.log).toEqual(['+a', '+b', '+c'])
    await supervisor.stop()
    expect(nursery.log.slice(3)).toEqual(['-c', '-b', '-a'])
    expect(await exitNow(supervisor)).toEqual({ kind: 'shutdown' })
    expect(nursery.clock.pendingTimers).toBe(0)
  })

  test('a child that does not stop is given up after its shutdownMs, and its signal aborted', async () => {
    const nursery = new Nursery()
    const children = [nursery.child('a'), nursery.child('b', { stubborn: true, shutdownMs: 700 })]
    const supervisor = await nursery.start(children)
    const stopped = supervisor.stop()
    await nursery.clock.advance(699)
    expect(nursery.log).toEqual(['+a', '+b', '-b'])
    expect(nursery.life('b').context.signal.aborted).toBe(false)
    await nursery.clock.advance(1)
    await stopped
    expect(nursery.log).toEqual(['+a', '+b', '-b', '-a'])
    expect(nursery.life('b').context.signal.aborted).toBe(true)
    expect(nursery.life('a').context.signal.aborted).toBe(false)
    expect(nursery.transitions.find((t) => t.child === 'b' && t.event === 'stopped')?.error?.code).toBe('ACT_DEADLINE')
  })

  test('stop interrupts a start that hangs; a child that arrives late is stopped', async () => {
    const nursery = new Nursery()
    const gate = Promise.withResolvers<void>()
    const supervisor = await nursery.start([nursery.child('slow', { onStart: () => gate.promise, shutdownMs: 500 })])
    const stopped = supervisor.stop()
    await nursery.clock.advance(500)
    await stopped
    gate.resolve()
    await settle()
    expect(nursery.log).toEqual(['+slow', '-slow'])
    expect(nursery.life('slow').context.signal.aborted).toBe(true)
  })

  test('stop during a back-off cancels the restart', async () => {
    const nursery = new Nursery()
    const supervisor = await nursery.start([nursery.child('a')])
    await nursery.crash('a')
    await supervisor.stop()
    await nursery.clock.advance(60_000)
    expect(nursery.log).toEqual(['+a'])
    expect(nursery.clock.pendingTimers).toBe(0)
  })

  test('under one_for_one a start that hangs keeps nobody else down', async () => {
    const nursery = new Nursery()
    const never = new Promise<void>(() => {})
    const a = nursery.child('a', { onStart: (n) => (n === 1 ? undefined : never) })
    const supervisor = await nursery.start([a, nursery.child('b')])
    await nursery.crash('a')
    await nursery.clock.advance(100)
    expect(states(supervisor).a).toBe('starting')
    await nursery.crash('b')
    await nursery.clock.advance(100)
    expect(nursery.starts('b')).toBe(2)
    await supervisor.remove('b')
    expect(states(supervisor)).toEqual({ a: 'starting' })
  })

  test('a specification that makes no sense is refused before anything starts, with every problem named', async () => {
    const nursery = new Nursery()
    const children = [nursery.child('a'), nursery.child('a'), nursery.child('x/y', { shutdownMs: -1 })]
    await expect(nursery.start(children, { intensity: -1, periodMs: 0 })).rejects.toMatchObject({
      code: 'ACT_DEFECT',
      message: expect.stringMatching(/intensity.*periodMs.*a appears twice.*'x\/y'.*shutdownMs is -1/),
    })
    await settle()
    expect(nursery.log).toEqual([])
  })
})

describe('strategies', () => {
  const three = (nursery: Nursery) => ['a', 'b', 'c'].map((id) => nursery.child(id))

  test('one_for_one restarts the crashed child alone, after its back-off', async () => {
    const nursery = new Nursery()
    const supervisor = await nursery.start(three(nursery))
    await nursery.crash('b')
    expect(states(supervisor)).toEqual({ a: 'running', b: 'backing_off', c: 'running' })
    expect(supervisor.inspect().children[1]).toMatchObject({ nextRetryMs: 100, lastError: { code: 'SRC_TIMEOUT' } })
    await nursery.clock.advance(99)
    expect(nursery.log).toEqual(['+a', '+b', '+c'])
    await nursery.clock.advance(1)
    expect(nursery.log.slice(3)).toEqual(['+b'])
    expect(supervisor.inspect()).toMatchObject({ restarts: 1 })
    expect(nursery.life('b').context.attempt).toBe(1)
  })

  test('one_for_all stops all others in reverse order and starts all in order', async () => {
    const nursery = new Nursery()
    const supervisor = await nursery.start(three(nursery), { strategy: 'one_for_all' })
    await nursery.crash('b')
    expect(nursery.log.slice(3)).toEqual(['-c', '-a'])
    expect(states(supervisor)).toEqual({ a: 'stopped', b: 'backing_off', c: 'stopped' })
    await nursery.clock.advance(100)
    expect(nursery.log.slice(5)).toEqual(['+a', '+b', '+c'])
  })

  test('rest_for_one takes down those started after it', async () => {
    const nursery = new Nursery()
    await nursery.start(three(nursery), { strategy: 'rest_for_one' })
    await nursery.crash('b')
    expect(nursery.log.slice(3)).toEqual(['-c'])
    await nursery.clock.advance(100)
    expect(nursery.log.slice(4)).toEqual(['+b', '+c'])
  })

  test('rest_for_one: an earlier crash takes over a later back-off', async () => {
    const nursery = new Nursery()
    await nursery.start(three(nursery), { strategy: 'rest_for_one' })
    await nursery.crash('b')
    await nursery.clock.advance(50)
    await nursery.crash('a')
    await nursery.clock.advance(99)
    expect(nursery.log.slice(3)).toEqual(['-c'])
    await nursery.clock.advance(1)
    expect(nursery.log.slice(4)).toEqual(['+a', '+b', '+c'])
  })

  test('a failing start in a group holds back those after it until it succeeds', async () => {
    const nursery = new Nursery()
    const failOnce = (n: number) => {
      if (n === 1) throw new Error('not yet')
    }
    const children = [nursery.child('a'), nursery.child('b', { onStart: failOnce }), nursery.child('c')]
    const supervisor = await nursery.start(children, { strategy: 'rest_for_one' })
    expect(nursery.log).toEqual(['+a'])
    expect(states(supervisor)).toEqual({ a: 'running', b: 'backing_off', c: 'stopped' })
    await nursery.clock.advance(100)
    expect(nursery.log).toEqual(['+a', '+b', '+c'])
  })

  test('two crashes of a group at once are one restart, and both are told', async () => {
    const nursery = new Nursery()
    await nursery.start(three(nursery), { strategy: 'one_for_all', intensity: 1 })
    void nursery.crash('a')
    await nursery.crash('c')
    await nursery.clock.advance(1000)
    expect(nursery.story('c')).toEqual(['started', 'crashed', 'started'])
    expect(nursery.log.filter((entry) => entry.startsWith('+'))).toEqual(['+a', '+b', '+c', '+a', '+b', '+c'])
  })
})

describe('restart types', () => {
  test.each([
    ['permanent', 'normal', 2],
    ['permanent', 'crash', 2],
    ['transient', 'normal', 1],
    ['transient', 'crash', 2],
    ['temporary', 'normal', 1],
    ['temporary', 'crash', 1],
  ] as const)('%s after %s: started %i times', async (restart, kind, starts) => {
    const nursery = new Nursery()
    const supervisor = await nursery.start([nursery.child('a', { restart })])
    if (kind === 'crash') await nursery.crash('a')
    else nursery.life('a').exit({ kind })
    await nursery.clock.advance(1000)
    expect(nursery.starts('a')).toBe(starts)
    expect(supervisor.has('a')).toBe(restart !== 'temporary')
  })

  test('a temporary child that falls with its group is forgotten, as in OTP', async () => {
    const nursery = new Nursery()
    const children = [nursery.child('a'), nursery.child('t', { restart: 'temporary' }), nursery.child('b')]
    const supervisor = await nursery.start(children, { strategy: 'one_for_all' })
    await nursery.crash('a')
    await nursery.clock.advance(100)
    expect(nursery.log.slice(3)).toEqual(['-b', '-t', '+a', '+b'])
    expect(supervisor.has('t')).toBe(false)
  })

  test('a start that throws is a crash of the child', async () => {
    const nursery = new Nursery()
    const onStart = (n: number) => {
      if (n < 3) throw new Error(`no ${n}`)
    }
    const supervisor = await nursery.start([nursery.child('a', { onStart, restart: 'transient' }), nursery.child('b')])
    expect(states(supervisor)).toEqual({ a: 'backing_off', b: 'running' })
    expect(supervisor.inspect().children[0]?.lastError).toMatchObject({ code: 'ACT_DEFECT', message: 'no 1' })
    await nursery.clock.advance(100 + 200)
    expect(nursery.starts('a')).toBe(1)
    expect(nursery.story('a')).toEqual(['crashed', 'backing_off', 'crashed', 'backing_off', 'started'])
  })
})

describe('children that come and go', () => {
  test('add, remove and the ids that are refused', async () => {
    const nursery = new Nursery()
    const supervisor = await nursery.start([nursery.child('a')])
    await supervisor.add(nursery.child('b'))
    await expect(supervisor.add(nursery.child('b'))).rejects.toMatchObject({ code: 'ACT_DEFECT' })
    await expect(supervisor.remove('z')).rejects.toMatchObject({ code: 'ACT_DEFECT' })
    await supervisor.remove('a')
    expect(nursery.log).toEqual(['+a', '+b', '-a'])
    expect(states(supervisor)).toEqual({ b: 'running' })
    await supervisor.stop()
    await expect(supervisor.add(nursery.child('c'))).rejects.toMatchObject({ code: 'ACT_STOPPED' })
  })

  test('removing a child that its group waits for raises the group', async () => {
    const nursery = new Nursery()
    const children = [nursery.child('a'), nursery.child('b')]
    const supervisor = await nursery.start(children, { strategy: 'one_for_all' })
    await nursery.crash('b')
    expect(nursery.log).toEqual(['+a', '+b', '-a'])
    await supervisor.remove('b')
    expect(nursery.log.slice(3)).toEqual(['+a'])
  })

  test('a child added while its group waits is started with it', async () => {
    const nursery = new Nursery()
    const supervisor = await nursery.start([nursery.child('a'), nursery.child('b')], { strategy: 'rest_for_one' })
    await nursery.crash('a')
    await supervisor.add(nursery.child('c'))
    expect(nursery.starts('c')).toBe(0)
    await nursery.clock.advance(100)
    expect(nursery.log.slice(3)).toEqual(['+a', '+b', '+c'])
  })

  test('restart stops and starts at once and forgives the failures', async () => {
    const nursery = new Nursery()
    const supervisor = await nursery.start([nursery.child('a'), nursery.child('b')], { strategy: 'rest_for_one' })
    await supervisor.restart('a')
    expect(nursery.log.slice(2)).toEqual(['-b', '-a', '+a', '+b'])
    await nursery.crash('a')
    await supervisor.restart('a')
    expect(nursery.life('a').context.attempt).toBe(0)
    await nursery.clock.advance(5000)
    expect(nursery.starts('a')).toBe(3)
  })

  test('restart does not wait for a start that hangs', async () => {
    const nursery = new Nursery()
    const never = new Promise<void>(() => {})
    const onStart = (n: number) => (n === 1 ? never : undefined)
    const supervisor = await nursery.start([nursery.child('a', { onStart, shutdownMs: 100 })])
    const restarted = supervisor.restart('a')
    await nursery.clock.advance(100)
    await restarted
    expect(nursery.log).toEqual(['+a'])
    expect(states(supervisor)).toEqual({ a: 'running' })
  })

  test('what a given-up predecessor still reports is history', async () => {
    const nursery = new Nursery()
    const supervisor = await nursery.start([nursery.child('a', { stubborn: true, shutdownMs: 100 })])
    const predecessor = nursery.life('a')
    const restarted = supervisor.restart('a')
    await nursery.clock.advance(100)
    await restarted
    predecessor.exit({ kind: 'normal' })
    await nursery.clock.advance(5000)
    expect(states(supervisor)).toEqual({ a: 'running' })
    expect(nursery.story('a')).toEqual(['started', 'stopped', 'started'])
  })

  test('a listener that throws harms nobody', async () => {
    const nursery = new Nursery()
    nursery.transitions.push = () => {
      throw new Error('listener')
    }
    const supervisor = await nursery.start([nursery.child('a')])
    expect(states(supervisor)).toEqual({ a: 'running' })
    expect(nursery.logger.lines.some((line) => line.level === 'error')).toBe(true)
  })
})

describe('together', () => {
  test('all start at once and stop at once', async () => {
    const nursery = new Nursery()
    const gate = Promise.withResolvers<void>()
    const children = [nursery.child('a', { onStart: () => gate.promise }), nursery.child('b', { stubborn: true })]
    const supervisor = await nursery.start([...children, nursery.child('c')], { together: true })
    expect(nursery.log).toEqual(['+b', '+c'])
    gate.resolve()
    await supervisor.ready
    const stopped = supervisor.stop()
    await settle()
    expect(nursery.log.slice(3)).toEqual(['-c', '-b', '-a'])
    await nursery.clock.advance(1000)
    await stopped
  })

  test('does not go with children that fall together', async () => {
    const nursery = new Nursery()
    const starting = nursery.start([nursery.child('a')], { together: true, strategy: 'rest_for_one' })
    await expect(starting).rejects.toThrow(/together does not go with rest_for_one/)
  })
})
