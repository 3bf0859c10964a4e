/** The camera actor with a host that does as it is told: states, reconnection, breaker, quarantine, orders. Virtual time. */
import { afterEach, describe, expect, test } from 'vitest'
import { GrabberError } from '../../../core/errors.ts'
import { eventSchemas } from '../../../core/event.ts'
import { imbalance } from '../../../core/ledger.ts'
import { identify } from '../../../src/store/process-identity.ts'
import { CameraTrial, OPEN_MS, PASSWORD, STALL_MS } from './camera-trial.ts'

let trial: CameraTrial
afterEach(async () => {
  await trial.end()
  for (const pid of trial.pids) expect(identify(pid)).toBeUndefined()
})

describe('a camera that comes and goes', () => {
  test('is tried again by the same host; only good frames for goodMs shorten the pause', async () => {
    trial = new CameraTrial({ lives: 'refuse,open' })
    await trial.start()
    await trial.is('backing_off')
    expect(trial.lastState).toMatchObject({ previous: 'connecting', reason: 'SRC_UNREACHABLE', attempt: 1 })
    expect(trial.lastState.nextRetryMs).toBeGreaterThanOrEqual(1000)
    expect(trial.lastState.nextRetryMs).toBeLessThanOrEqual(1200)
    await trial.pause()
    await trial.is('live')
    expect(trial.story).toEqual(['connecting', 'backing_off', 'connecting', 'live'])
    expect(trial.states[2]).toMatchObject({ reason: 'attempt 2', attempt: 1, nextRetryMs: null })

    await trial.frames(59_000)
    trial.order('lose')
    await trial.is('backing_off')
    expect(trial.lastState.nextRetryMs).toBeGreaterThanOrEqual(2000)
    await trial.pause()
    await trial.is('live')

    await trial.frames(60_000)
    expect(trial.camera.report()).toMatchObject({ state: 'live', attempt: 0 })
    trial.order('lose')
    await trial.is('backing_off')
    expect(trial.lastState.nextRetryMs).toBeLessThanOrEqual(1200)
    expect(trial.camera.report()).toMatchObject({ attempt: 1, incarnation: 1, hostPid: trial.pids[0] })
    expect(trial.pids).toHaveLength(1)
  })
})

describe('pictures', () => {
  test('that look wrong, or do not come, are states with their evidence; the next frame ends a stall', async () => {
    trial = new CameraTrial({ lives: 'open' })
    await trial.start()
    await trial.is('live')
    trial.order('frozen')
    await trial.is('frozen')
    expect(trial.lastState).toMatchObject({ previous: 'live', evidence: expect.stringMatching(/^by rtsp:/) })
    await trial.clock.advance(STALL_MS + 100)
    await trial.is('stalled')
    expect(trial.lastState).toMatchObject({ previous: 'frozen', evidence: 'none for 20000 ms' })
    expect(trial.lastState.lastFrameAgeMs).toBeGreaterThanOrEqual(STALL_MS)
    trial.order('frame')
    // It is as it was told to look, until it is told otherwise.
    await trial.is('frozen')
    trial.order('black')
    await trial.is('black')
    trial.order('good')
    await trial.is('live')
    trial.order('lose')
    await trial.is('backing_off')
    const states = ['connecting', 'live', 'frozen', 'stalled', 'frozen', 'black', 'live', 'backing_off']
    expect(trial.story).toEqual(states)
    for (const state of trial.states) eventSchemas['camera.state'].parse(state)
  })

  test('that never come although the camera accepted are a stall, and no news of the past counts', async () => {
    trial = new CameraTrial({ lives: 'open,empty,empty' })
    await trial.start()
    await trial.is('live')
    trial.order('frozen')
    await trial.is('frozen')
    trial.order('lose')
    await trial.is('backing_off')
    await trial.pause()
    await trial.until('it is connected', () => trial.camera.trigger({ reason: 'nothing', holdMs: 0, keyframe: false }))
    expect(trial.camera.report().state).toBe('connecting')
    await trial.clock.advance(STALL_MS + 100)
    await trial.is('stalled')
    trial.order('frame')
    await trial.is('live')
  })
})

describe('the breaker of a connection', () => {
  test('opens at the third failure in a row, is half-open while it is tried, and never leads to quarantine', async () => {
    trial = new CameraTrial({ lives: `${'refuse,'.repeat(12)}open` })
    await trial.start()
    const delays: number[] = []
    for (let failure = 1; failure <= 12; failure++) {
      await trial.until('it failed again', () => trial.camera.report().attempt === failure)
      const { state, breaker } = trial.camera.report()
      expect({ state, breaker }).toEqual({ state: 'backing_off', breaker: failure < 3 ? 'closed' : 'open' })
      delays.push(trial.lastState.nextRetryMs!)
      await trial.pause()
    }
    await trial.is('live')
    for (const [failure, delayMs] of delays.entries()) {
      // Jitter widens a pause by a fifth at most, and never beyond a minute.
      expect(delayMs).toBeGreaterThanOrEqual(Math.min(1000 * 2 ** failure, 50_000))
      expect(delayMs).toBeLessThanOrEqual(Math.min(1200 * 2 ** failure, 60_000))
    }
    expect(trial.camera.report().breaker).toBe('half-open')
    await trial.frames(60_000)
    expect(trial.camera.report()).toMatchObject({ breaker: 'closed', attempt: 0 })
    expect(trial.story).not.toContain('quarantined')
    expect(trial.breakers.slice(0, 4)).toEqual(['closed', 'open', 'half-open', 'open'])
    expect(trial.breakers.slice(-2)).toEqual(['half-open', 'closed'])
    expect(trial.pids).toHaveLength(1)
  })
})

describe('a host that dies', () => {
  test('too often is quarantine, with one probe each probeMs, until a probe brought good frames', async () => {
    trial = new CameraTrial({ lives: 'die;die;refuse,open', reconnect: { crashes: 1, goodMs: 5000, probeMs: 90_000 } })
    await trial.start()
    await trial.is('backing_off')
    await trial.pause()
    await trial.is('quarantined')
    expect(trial.lastState).toMatchObject({ reason: 'ACT_HOST_DIED', nextRetryMs: 90_000 })
    expect(trial.camera.report().breaker).toBe('open')
    await trial.clock.advance(90_000)
    // The probe's host lives, and its camera does not answer: it is not trusted more for that.
    await trial.until('the probe failed', () => trial.story.filter((state) => state === 'quarantined').length === 2)
    expect(trial.lastState).toMatchObject({ reason: 'SRC_UNREACHABLE', nextRetryMs: 90_000 })
    await trial.clock.advance(89_999)
    expect(trial.camera.report().state).toBe('quarantined')
    await trial.clock.advance(1)
    await trial.is('live')
    expect(trial.camera.report()).toMatchObject({ breaker: 'half-open', incarnation: 3 })
    await trial.clock.advance(5000)
    expect(trial.camera.report()).toMatchObject({ breaker: 'closed', attempt: 0 })
    expect(trial.breakers).toEqual(['closed', 'open', 'half-open', 'open', 'half-open', 'closed'])
    const tree = trial.running?.inspect?.() as { children: object[]; connection: object }
    expect(tree.children).toMatchObject([{ id: 'session', state: 'running', breaker: 'closed', attempt: 0 }])
    expect(tree.connection).toMatchObject({ state: 'live', breaker: 'closed' })
  })

  test('waits as long as the failures of its connection before it say', async () => {
    trial = new CameraTrial({ lives: 'refuse,refuse,refuse,open;open' })
    await trial.start()
    for (let failure = 1; failure <= 3; failure++) {
      await trial.until('it failed again', () => trial.camera.report().attempt === failure)
      await trial.pause()
    }
    await trial.is('live')
    trial.order('hold')
    await trial.until('a frame is in flight', () => trial.camera.report().ledger.inFlight === 1)
    trial.order('die')
    await trial.is('backing_off')
    expect(trial.lastState.nextRetryMs).toBeGreaterThanOrEqual(8000)
    expect(trial.ledger).toMatchObject({ captured: 2, inFlight: 0, dropped: { 'host.died': 1 } })
    await trial.pause()
    await trial.is('live')
    expect(trial.pids).toHaveLength(2)
    // The next incarnation counts from zero, the camera goes on.
    expect(trial.camera.report().ledger).toMatchObject({ captured: 3, inFlight: 0 })
    expect(imbalance(trial.camera.report().ledger)).toBe(0)
  })

  test('while it waits to connect again moves the next attempt', async () => {
    trial = new CameraTrial({ lives: 'refuse,open;open' })
    await trial.start()
    await trial.is('backing_off')
    process.kill(trial.pids[0]!, 'SIGKILL')
    await trial.until('that is a failure too', () => trial.camera.report().attempt === 2)
    await trial.until('it waits for longer', () => (trial.camera.report().nextRetryMs ?? 0) >= 2000)
    await trial.clock.advance(1300)
    expect(trial.camera.report().state).toBe('backing_off')
    await trial.pause()
    await trial.is('live')
    expect(trial.story).toEqual(['connecting', 'backing_off', 'connecting', 'live'])
    expect(trial.pids).toHaveLength(2)
  })

  test('because a connection neither opens nor fails is killed at the deadline, at the start and later', async () => {
    trial = new CameraTrial({ lives: 'mute;refuse,mute;open' })
    await trial.start()
    await trial.until('the host runs', () => trial.camera.report().hostPid !== null)
    await trial.clock.advance(1.5 * OPEN_MS - 1)
    expect(trial.camera.report().state).toBe('connecting')
    await trial.clock.advance(1)
    await trial.is('backing_off')
    expect(trial.lastState).toMatchObject({ reason: 'SRC_TIMEOUT', attempt: 1 })
    await trial.pause()
    await trial.until('the connection is refused', () => trial.camera.report().attempt === 2)
    await trial.pause()
    expect(trial.camera.report().state).toBe('connecting')
    await trial.clock.advance(1.5 * OPEN_MS)
    await trial.is('backing_off')
    expect(trial.lastState).toMatchObject({ reason: 'SRC_TIMEOUT', attempt: 3 })
    await trial.pause()
    await trial.is('live')
  })
})

describe('orders', () => {
  test('stop drains and forgives, start begins anew, restart does both; what is said once is remembered', async () => {
    trial = new CameraTrial({ lives: 'refuse,open;refuse;open' })
    const { camera } = trial
    expect(camera.trigger({ reason: 'x', holdMs: 1, keyframe: false })).toBe(false)
    camera.pace(0.5)
    await trial.start()
    await trial.is('backing_off')
    expect(camera.trigger({ reason: 'x', holdMs: 1, keyframe: false })).toBe(false)
    await trial.pause()
    await trial.is('live')
    camera.pace(0.25)
    await trial.until('the session heard of both', () => trial.complaints.length === 2)
    expect(trial.complaints).toEqual(['pace 0.5', 'pace 0.25'])
    trial.order('hold')
    await camera.stop()
    expect(trial.lastState).toMatchObject({ state: 'stopped', reason: 'told to', attempt: 0, nextRetryMs: null })
    expect(camera.report()).toMatchObject({ hostPid: null, gate: null, rssBytes: null, share: 0.25, breaker: 'closed' })
    expect(trial.ledger).toMatchObject({ inFlight: 0, dropped: {} })
    expect(trial.overs).toBe(1)
    await camera.stop()
    expect(trial.story.filter((state) => state === 'stopped')).toHaveLength(1)

    await Promise.all([camera.start(), camera.start()])
    await trial.is('backing_off')
    expect(camera.report()).toMatchObject({ incarnation: 2, attempt: 1 })
    expect(trial.complaints.at(-1)).toBe('pace 0.25')
    await camera.restart()
    await trial.is('live')
    expect(camera.report()).toMatchObject({ incarnation: 3, attempt: 0, gate: 'idle', driftPpm: 3, rssBytes: 1000 })
  })

  test('a camera that is lost while it is being stopped is stopped, and not tried again', async () => {
    trial = new CameraTrial({ lives: 'open' })
    await trial.start()
    await trial.is('live')
    trial.order('lose at stop')
    await trial.camera.stop()
    expect(trial.story).toEqual(['connecting', 'live', 'stopped'])
    expect(trial.failures).toEqual([])
  })

  test('one that is not enabled is stopped, and starts when it is told to', async () => {
    trial = new CameraTrial({ lives: 'open', enabled: false })
    await trial.start()
    expect(trial.states).toMatchObject([{ state: 'stopped', previous: null, reason: 'not enabled' }])
    expect(trial.camera.isRunning).toBe(false)
    await trial.camera.start()
    await trial.is('live')
  })

  test('a recording that has ended is stopped until it is started again', async () => {
    trial = new CameraTrial({ lives: 'open' })
    await trial.start()
    await trial.is('live')
    trial.order('end')
    await trial.is('stopped')
    expect(trial.lastState.reason).toBe('end of input')
    await trial.until('the host is gone', () => trial.camera.report().hostPid === null)
    await trial.camera.start()
    await trial.is('live')
    expect(trial.camera.report().incarnation).toBe(2)
  })

  test('a source that cannot be played is stopped with its code, without a host', async () => {
    const spec = () => {
      throw new GrabberError('SRC_UNSUPPORTED', 'not a regular file')
    }
    trial = new CameraTrial({ lives: 'open', spec })
    await trial.start()
    await trial.is('stopped')
    expect(trial.lastState.reason).toBe('SRC_UNSUPPORTED')
    expect(trial.pids).toEqual([])
  })
})

test('what a host says of the address is told nowhere with its password', async () => {
  trial = new CameraTrial({ lives: 'refuse,open;die;open' })
  await trial.start()
  await trial.is('backing_off')
  await trial.pause()
  await trial.is('live')
  trial.order('frozen')
  await trial.is('frozen')
  trial.order('fail')
  await trial.is('backing_off')
  await trial.pause()
  await trial.until('the second host is gone', () => trial.camera.report().attempt === 3)
  const told = JSON.stringify([
    trial.states,
    trial.camera.report(),
    trial.running?.inspect?.(),
    trial.failures.map((failure) => failure.line),
    trial.logger.lines.filter(({ fields }) => !('stream' in fields || 'stderr' in fields)),
  ])
  expect(told).toContain('viewer:***@camera')
  expect(told).not.toContain(PASSWORD)
})
