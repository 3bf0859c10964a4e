/** The fleet with hosts that behave as they are told: states, breakers, refusals, swaps. Time is virtual, processes are real. */
import { afterEach, describe, expect, test } from 'vitest'
import { EngineFleet } from '../../../actors/engine-fleet.ts'
import type { EngineReport, EngineSlot } from '../../../actors/engine-unit.ts'
import type { RunningChild } from '../../../actors/kernel/child.ts'
import type { SupervisionNode } from '../../../actors/kernel/supervision-node.ts'
import type { EngineNews } from '../../../core/wire/control.ts'
import type { EngineModelSpec, EngineStart } from '../../../core/wire/engine-control.ts'
import { identify } from '../../../src/store/process-identity.ts'
import { RecordingLogger } from '../recording-logger.ts'
import { settle, VirtualClock } from '../virtual-clock.ts'

const entry = new URL('../../fixtures/hosts/engine.ts', import.meta.url)
const NEVER_MS = 1e9

const model = (id: string): EngineModelSpec => ({ id, path: `/models/${id}.onnx` })
const slots = (...ids: string[]): EngineSlot[] =>
  ids.map((id, index) => ({ id, device: 'cpu', index, name: null, readyMs: NEVER_MS }))

class Trial {
  readonly clock = new VirtualClock()
  readonly logger = new RecordingLogger()
  readonly reports: EngineReport[] = []
  readonly pids = new Map<string, number | null>()
  readonly fleet: EngineFleet
  readonly stopping = new AbortController()
  group: RunningChild | undefined

  constructor(engines: EngineSlot[], models: string[], start: Partial<EngineStart> = {}) {
    const times = { helloMs: NEVER_MS, silenceMs: NEVER_MS, stopMs: 10_000, killMs: 10_000 }
    this.fleet = new EngineFleet({
      slots: engines,
      models: models.map(model),
      refused: [{ device: 'cuda-7', reason: 'too old' }],
      start: { credits: 8, batch: { max: 8, maxWaitMs: 1, targetLatencyMs: 1, queueLimit: 1 }, threads: 1, ...start },
      socketPath: (incarnation) => `/nowhere/${incarnation}.sock`,
      host: { sessionEntry: entry, engineEntry: entry, ...times, clock: this.clock, logger: this.logger },
      onState: (report) => this.reports.push(report),
      onHost: (name, pid) => this.pids.set(name, pid),
    })
  }

  async start(): Promise<void> {
    const context = { attempt: 0, path: 'root/engines', signal: this.stopping.signal }
    this.group = await this.fleet.child.start(context)
  }

  /** Lets virtual time pass until `condition`; real processes take real time. */
  async pass(condition: () => boolean, stepMs = 100): Promise<void> {
    await expect
      .poll(
        async () => {
          if (!condition()) await this.clock.advance(stepMs)
          return condition()
        },
        { timeout: 14_000, interval: 2 },
      )
      .toBe(true)
  }

  state(engine: string): EngineReport | undefined {
    return this.fleet.reports.find((report) => report.engine === engine)
  }

  get tree(): SupervisionNode {
    return this.group?.inspect?.() as SupervisionNode
  }
}

let trial: Trial | undefined
afterEach(async () => {
  const pids = [...(trial?.pids.values() ?? [])]
  await trial?.group?.stop()
  for (const pid of pids) if (pid) expect(identify(pid)).toBeUndefined()
  trial = undefined
})

describe('a fleet', () => {
  test('starts all engines and says what each is', async () => {
    trial = new Trial(slots('cpu-0', 'cpu-1'), ['good'])
    await trial.start()
    // Both have sent a heartbeat.
    await trial.pass(() => trial!.fleet.queueDepth === 6)
    expect(trial.fleet.reports.map(({ engine, state }) => [engine, state])).toEqual([
      ['cpu-0', 'ready'],
      ['cpu-1', 'ready'],
    ])
    expect(trial.state('cpu-0')).toEqual({
      engine: 'cpu-0',
      device: 'cpu',
      index: null,
      name: null,
      state: 'ready',
      reason: 'runs on cpu',
      restarts: 0,
      breaker: 'closed',
      refused: [{ device: 'cuda-7', reason: 'too old' }],
      models: ['good'],
      batchCaps: { good: 8 },
    })
    expect(trial.tree.children.map(({ id, breaker }) => [id, breaker])).toEqual([
      ['engine:cpu-0', 'closed'],
      ['engine:cpu-1', 'closed'],
    ])
  })

  test('an engine that is killed is told of, restarted, and its sessions sit elsewhere meanwhile', async () => {
    trial = new Trial(slots('cpu-0', 'cpu-1'), ['good'])
    await trial.start()
    // Before that one of them seems less loaded than the other.
    await trial.pass(() => trial!.fleet.queueDepth === 6)
    const told: EngineNews[][] = [[], []]
    const seats = told.map((list) => trial!.fleet.directory.seat((news) => list.push(news)))
    process.kill(trial.pids.get('engine:cpu-0')!, 'SIGKILL')
    await expect.poll(() => told[0]?.length, { timeout: 12_000 }).toBe(1)
    expect(seats[0]?.news.engine).toEqual(trial.fleet.directory.endpointOf('cpu-1'))
    expect(told[1]).toEqual([])
    await trial.pass(() => trial!.state('cpu-0')?.restarts === 1)
    const states = trial.reports.filter(({ engine }) => engine === 'cpu-0').map(({ state }) => state)
    expect(states).toEqual(['ready', 'restarting', 'ready'])
    expect(trial.reports.find(({ state }) => state === 'restarting')?.reason).toMatch(/SIGKILL; again in 0\.2/)
    expect(told[0]).toHaveLength(1)
  })

  test('one that never starts opens its breaker; sessions are refused only when no other is there', async () => {
    trial = new Trial(slots('cpu-0'), ['broken'])
    await trial.start()
    const told: EngineNews[] = []
    const seat = trial.fleet.directory.seat((news) => told.push(news))
    expect(seat.news.why).toBe('gone')
    await trial.pass(() => trial!.state('cpu-0')?.breaker === 'open')
    expect(trial.state('cpu-0')).toMatchObject({
      state: 'degraded',
      restarts: 0,
      reason: expect.stringMatching(/ENG_START/),
    })
    expect(told).toEqual([{ engine: null, why: 'refused' }])
    expect(trial.tree.children[0]).toMatchObject({ state: 'quarantined', breaker: 'open' })
    const starts = trial.tree.restarts
    await trial.pass(() => trial!.tree.restarts > starts, 10_000)
    await trial.pass(() => trial!.tree.children[0]?.breaker === 'open')
    expect(told).toHaveLength(1)
  })

  test('a device that hangs again and again opens its breaker by the third time', async () => {
    trial = new Trial(slots('cpu-0'), ['hung'])
    await trial.start()
    await trial.pass(() => trial!.state('cpu-0')?.breaker === 'open')
    expect(trial.state('cpu-0')).toMatchObject({
      state: 'degraded',
      restarts: 2,
      reason: expect.stringMatching(/ENG_HUNG/),
    })
    // It starts, so its probe is on probation: a session may try it.
    await trial.pass(() => trial!.reports.some(({ breaker }) => breaker === 'half-open'), 10_000)
  })

  test('ends while its engines still start', async () => {
    trial = new Trial(slots('cpu-0', 'cpu-1'), ['broken'])
    const starting = trial.start()
    trial.stopping.abort()
    await starting
    expect(await trial.group?.exited).toEqual({ kind: 'shutdown' })
    expect([...trial.pids.values()].every((pid) => pid === null)).toBe(true)
  })
})

describe('models', () => {
  test('are swapped in every engine, and taken by those that start later', async () => {
    trial = new Trial(slots('cpu-0', 'cpu-1'), ['good'])
    await trial.start()
    const pids = [...trial.pids.values()]
    await trial.fleet.swapModels([model('good'), model('new')])
    expect(trial.fleet.reports.map(({ models }) => models)).toEqual([
      ['good', 'new'],
      ['good', 'new'],
    ])
    expect([...trial.pids.values()]).toEqual(pids)
    process.kill(trial.pids.get('engine:cpu-1')!, 'SIGKILL')
    await trial.pass(() => trial!.state('cpu-1')?.restarts === 1)
    expect(trial.state('cpu-1')?.models).toEqual(['good', 'new'])
  })

  test('that the first engine refuses change nothing', async () => {
    trial = new Trial(slots('cpu-0', 'cpu-1'), ['good'])
    await trial.start()
    await expect(trial.fleet.swapModels([model('bad')])).rejects.toMatchObject({ code: 'MDL_HASH' })
    expect(trial.fleet.reports.map(({ models }) => models)).toEqual([['good'], ['good']])
    await trial.fleet.swapModels([model('good'), model('new')])
    expect(trial.state('cpu-0')?.models).toEqual(['good', 'new'])
  })

  test('that came while there was nothing to run start the engines', async () => {
    trial = new Trial(slots('cpu-0', 'cpu-1'), [])
    await trial.start()
    expect(trial.fleet.idle).toBe(true)
    expect(trial.tree.children).toEqual([])
    await trial.fleet.swapModels([model('good')])
    expect(trial.fleet.reports.map(({ state }) => state)).toEqual(['ready', 'ready'])
    expect(trial.fleet.directory.available).toBe(true)
  })

  test('an engine that dies during the swap fails it, and starts with what was there', async () => {
    trial = new Trial(slots('cpu-0'), ['good'])
    await trial.start()
    process.kill(trial.pids.get('engine:cpu-0')!, 'SIGSTOP')
    const swap = trial.fleet.swapModels([model('new')])
    swap.catch(() => undefined)
    await settle()
    process.kill(trial.pids.get('engine:cpu-0')!, 'SIGKILL')
    await expect(swap).rejects.toMatchObject({ code: 'ACT_STOPPED' })
    await trial.pass(() => trial!.state('cpu-0')?.restarts === 1)
    expect(trial.state('cpu-0')?.models).toEqual(['good'])
  })
})

describe('memory', () => {
  const gpu = { name: 'g', uuid: 'u', computeCapability: 8, utilizationPercent: 1, temperatureCelsius: 1 }
  const figures = (index: number, share: number) => ({
    ...gpu,
    ...{ index, memoryUsedBytes: share * 100, memoryTotalBytes: 100, powerWatts: 1, powerLimitWatts: 1, driver: 'd' },
  })

  test('a GPU over 90 % takes no new session until it is below 85 %', async () => {
    const engines = slots('cuda-0', 'cuda-1').map((slot) => ({ ...slot, device: 'cuda' as const }))
    trial = new Trial(engines, ['good'])
    const { fleet } = trial
    for (const { id, index } of engines) {
      fleet.directory.set(id, { socketPath: `/${id}`, incarnation: index + 1 })
    }
    const taken = (...shares: number[]) => {
      fleet.measureGpus(shares.map((share, index) => figures(index, share)))
      const seat = fleet.directory.seat(() => undefined)
      const incarnation = seat.news.engine?.incarnation ?? null
      seat.leave()
      return incarnation
    }
    expect(taken(0.5, 0.5)).toBe(1)
    expect(taken(0.9, 0.5)).toBe(1)
    expect(taken(0.91, 0.5)).toBe(2)
    expect(taken(0.86, 0.5)).toBe(2)
    expect(taken(0.84, 0.5)).toBe(1)
    expect(taken(0.95, 0.95)).toBeNull()
  })
})
