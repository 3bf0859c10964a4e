/** The fleet: changes by difference, orders, what is told of cameras and to whom. */
import { afterEach, describe, expect, test } from 'vitest'
import { address, PASSWORD } from './actors/camera-trial.ts'
import { configOf, FleetTrial } from './fleet-trial.ts'

const open = { source: address('open') }
const film = { source: 'file:/nowhere/film.mp4', loop: true }
const trigger = { reason: 'nothing', holdMs: 0, keyframe: false }

let trial: FleetTrial
afterEach(() => trial.end())

describe('a change of the configuration', () => {
  test('touches what it names and nothing else', async () => {
    const idle = { ...open, enabled: false }
    trial = new FleetTrial(configOf({ same: open, idle, heir: open, other: open, off: idle }))
    const { fleet } = trial
    await trial.start()
    await trial.are({ same: 'live', idle: 'stopped', heir: 'live', other: 'live', off: 'stopped' })
    const lives = trial.lives()
    const same = { ...open, loop: false, priority: 1 }
    const change = await fleet.apply(configOf({ same, idle, heir: { ...open, priority: 9 }, new: open, off: open }))
    expect(change).toEqual({
      added: ['new'],
      removed: ['other'],
      restarted: ['heir', 'off'],
      unchanged: ['same', 'idle'],
    })
    await trial.are({ same: 'live', idle: 'stopped', heir: 'live', off: 'live', new: 'live' })
    const now = trial.lives()
    for (const id of change.unchanged) expect(now[id], id).toEqual(lives[id])
    expect([now.heir?.[0], now.off?.[0], now.new?.[0]]).toEqual([2, 1, 1])
    expect(trial.pids.get('camera:other')).toBeNull()
    const said = trial.events.filter(({ subject }) => subject === 'other')
    expect(said.at(-1)?.data).toMatchObject({ state: 'stopped', reason: 'removed' })
    expect(await trial.metrics.text()).not.toMatch(/"other"|camera:other/)
    const tree = trial.running?.inspect?.() as { children: { id: string }[] }
    const children = Object.keys(now).map((id) => `camera:${id}`)
    expect(tree.children.map(({ id }) => id).sort()).toEqual(children.sort())
  })

  test('of a default touches those that inherit it; of a time limit, all; of nothing, none', async () => {
    // They need not run for that.
    const idle = { ...open, enabled: false }
    const before = configOf({ own: { ...idle, analysis: { fps: 3 } }, heir: idle })
    trial = new FleetTrial(before)
    const { fleet } = trial
    await trial.start()
    const slower = { ...before, defaults: { ...before.defaults, analysis: { fps: 2, width: 640 } } }
    expect(await fleet.apply(slower)).toEqual({ added: [], removed: [], restarted: ['heir'], unchanged: ['own'] })
    const later = { ...slower, reconnect: { ...slower.reconnect, probeMs: 1 } }
    expect((await fleet.apply(later)).restarted).toEqual(['own', 'heir'])
    const patient = { ...later, timeouts: { ...later.timeouts, askMs: 1 } }
    expect((await fleet.apply(patient)).restarted).toEqual(['own', 'heir'])
    expect((await fleet.apply(structuredClone(patient))).unchanged).toEqual(['own', 'heir'])
    expect((await fleet.apply({ ...patient, log: { level: 'debug' } })).unchanged).toEqual(['own', 'heir'])
  })

  test('that takes a camera away and brings it back gives it new event ids, and a recording a new playback', async () => {
    const before = configOf({ other: open, film })
    trial = new FleetTrial(before)
    const { fleet } = trial
    await trial.start()
    await trial.are({ other: 'live', film: 'live' })
    await fleet.apply(configOf({}))
    expect(fleet.list()).toEqual([])
    await fleet.apply(before)
    await trial.are({ other: 'live', film: 'live' })
    expect(fleet.get('other').incarnation).toBe(2)
    await fleet.stop('film')
    // The first and the second were played and ended in order.
    expect(trial.playbacks.begin('film', '/nowhere/film.mp4')).toEqual({ epoch: 3, from: null })
  })
})

describe('orders', () => {
  test('are carried out one after the other for a camera, and cameras do not wait for each other', async () => {
    trial = new FleetTrial(configOf({ a: open, b: { source: address('mute') } }))
    const { fleet } = trial
    await trial.start()
    await trial.are({ a: 'live', b: 'connecting' })
    const answers = await Promise.all([fleet.stop('a'), fleet.start('a'), fleet.restart('a'), fleet.stop('b')])
    expect(answers.map(({ state }) => state)).toEqual(['stopped', 'connecting', 'connecting', 'stopped'])
    await trial.are({ a: 'live', b: 'stopped' })
    expect(fleet.get('a').incarnation).toBe(3)
    expect(fleet.trigger('a', trigger)).toBe(true)
    expect(fleet.trigger('b', trigger)).toBe(false)
    fleet.pace('a', 0.5)
    expect(fleet.get('a').share).toBe(0.5)
  })

  test('outlast a change of the configuration, unless it enables the camera anew', async () => {
    const own = (priority: number, enabled = true) => configOf({ a: { ...open, priority, enabled } })
    trial = new FleetTrial(own(1))
    const { fleet } = trial
    await trial.start()
    await trial.are({ a: 'live' })
    await fleet.stop('a')
    expect((await fleet.apply(own(2))).restarted).toEqual(['a'])
    expect(fleet.get('a').state).toBe('stopped')
    await fleet.apply(own(2, false))
    await fleet.apply(own(2))
    await trial.are({ a: 'live' })
    await fleet.apply(own(2, false))
    expect(fleet.get('a')).toMatchObject({ state: 'stopped', reason: 'not enabled' })
    await fleet.start('a')
    await trial.are({ a: 'live' })
  })

  test('for a camera that is not there, or no longer, are refused', async () => {
    trial = new FleetTrial(configOf({ a: open }))
    const { fleet } = trial
    await trial.start()
    await trial.are({ a: 'live' })
    const notFound = { code: 'API_NOT_FOUND' }
    for (const order of ['start', 'stop', 'restart'] as const) {
      await expect(fleet[order]('nobody')).rejects.toMatchObject(notFound)
    }
    for (const order of [() => fleet.get('x'), () => fleet.trigger('x', trigger), () => fleet.pace('x', 1)]) {
      expect(order).toThrow(expect.objectContaining(notFound))
    }
    const removal = fleet.apply(configOf({}))
    await Promise.resolve()
    await expect(fleet.start('a')).rejects.toMatchObject(notFound)
    await removal
    expect(fleet.list()).toEqual([])
  })

  test('a new choice of models restarts those that run and are concerned', async () => {
    trial = new FleetTrial(
      configOf({ a: open, b: { ...open, priority: 7 }, c: { ...open, priority: 7, enabled: false } }),
    )
    const { fleet } = trial
    await trial.start()
    await trial.are({ a: 'live', b: 'live', c: 'stopped' })
    expect(await fleet.restartWhere(({ priority }) => priority === 7)).toEqual(['b', 'c'])
    await trial.are({ a: 'live', b: 'live', c: 'stopped' })
    expect(fleet.list().map(({ incarnation }) => incarnation)).toEqual([1, 2, 0])
  })
})

describe('what is told of a camera', () => {
  test('is counted by its id: states, transitions, breaker, failures', async () => {
    trial = new FleetTrial(configOf({ a: { source: address('refuse,refuse,refuse') } }))
    await trial.start()
    for (let failure = 1; failure <= 3; failure++) {
      await expect.poll(() => trial.fleet.get('a').attempt, { timeout: 12_000 }).toBe(failure)
      if (failure < 3) await trial.clock.advance(trial.fleet.get('a').nextRetryMs! + 1)
    }
    const text = await trial.metrics.text()
    for (const line of [
      'grabber_camera_transitions_total{camera_id="a",state="connecting"} 3',
      'grabber_camera_transitions_total{camera_id="a",state="backing_off"} 3',
      'grabber_camera_state{camera_id="a",state="backing_off"} 1',
      'grabber_camera_session_failures_total{camera_id="a",code="SRC_UNREACHABLE"} 3',
      'grabber_circuit_breaker_state{name="camera:a"} 2',
    ]) {
      expect(text).toContain(line)
    }
    await trial.fleet.apply(configOf({}))
    expect(await trial.metrics.text()).not.toMatch(/camera:a|camera_id="a"/)
  })

  test('is never its password: not in logs, events, the tree, reports or metrics', async () => {
    trial = new FleetTrial(configOf({ a: { source: address('refuse,open;die;open') } }))
    const { fleet } = trial
    await trial.start()
    await trial.are({ a: 'backing_off' })
    await trial.clock.advance(fleet.get('a').nextRetryMs! + 1)
    await trial.are({ a: 'live' })
    fleet.trigger('a', { ...trigger, reason: 'frozen' })
    await trial.are({ a: 'frozen' })
    fleet.trigger('a', { ...trigger, reason: 'fail' })
    await trial.are({ a: 'backing_off' })
    await trial.clock.advance(fleet.get('a').nextRetryMs! + 1)
    // The second host wrote the address to stderr and died.
    await expect.poll(() => fleet.get('a').attempt, { timeout: 12_000 }).toBe(3)
    const told = [...trial.log, JSON.stringify([trial.events, trial.running?.inspect?.(), fleet.list()])].join('\n')
    expect(told).toContain('cannot open rtsp://viewer:***@camera')
    expect(told).toContain('nobody at rtsp://viewer:***@camera')
    expect(told + (await trial.metrics.text())).not.toContain(PASSWORD)
  })
})
