/** Several real engine hosts stand for several devices: one is killed under load, and nobody else notices. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { Supervisor } from '../../actors/kernel/supervisor.ts'
import { groupPolicy } from '../../actors/policies.ts'
import { configSchema } from '../../config/schema.ts'
import { systemClock } from '../../core/clock.ts'
import type { EngineNews } from '../../core/wire/control.ts'
import { EngineClient } from '../../models/engine-client.ts'
import { EngineService } from '../../src/engine-service.ts'
import { hostSettings } from '../../src/host-settings.ts'
import { RecordingLogger } from '../unit/recording-logger.ts'
import { modelPath, until } from './support/engine.ts'

const closers: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** A camera's part: a seat and a client that follows it. */
class Session {
  readonly client: EngineClient
  readonly told: EngineNews[] = []
  readonly seat: { readonly news: EngineNews; leave(): void }

  constructor(service: EngineService, name: string) {
    this.client = new EngineClient({ session: name, priority: 0, askDeadlineMs: 60_000 })
    this.seat = service.directory.seat((news) => {
      this.told.push(news)
      this.client.setEndpoint(news.engine, news.why)
    })
    this.client.setEndpoint(this.seat.news.engine, this.seat.news.why)
    closers.push(() => {
      this.seat.leave()
      this.client.close()
    })
  }
}

const crop = { width: 128, height: 128, data: new Uint8Array(3 * 128 * 128).fill(90) }

const faceModels = ['yunet', 'face-reid-0095']
const specs = (ids: readonly string[]) => ids.map((id) => ({ id, path: modelPath(id) }))

async function open(devices: object[], models = faceModels) {
  const config = configSchema.parse({ engine: { devices, threads: 1 } })
  const folder = mkdtempSync(join(tmpdir(), 'fleet-'))
  const pids = new Map<string, number | null>()
  const logger = new RecordingLogger()
  const service = new EngineService({
    config: config.engine,
    gpus: undefined,
    models: specs(models),
    host: hostSettings(config, logger),
    socketPath: (incarnation) => join(folder, `${incarnation}.sock`),
    onHost: (name, pid) => pids.set(name, pid),
  })
  const supervisor = Supervisor.start(
    { ...groupPolicy, id: 'root', children: [service.child] },
    { clock: systemClock, logger },
  )
  closers.push(async () => {
    await supervisor.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  await supervisor.ready
  return { service, pids }
}

test('kill -9 of one of three engines: its sessions go on elsewhere, the others hear nothing, every request is answered', async () => {
  const { service, pids } = await open([0, 1, 2].map((index) => ({ device: 'cpu', index })))
  expect(service.reports.map(({ engine, state }) => [engine, state])).toEqual([
    ['cpu-0', 'ready'],
    ['cpu-1', 'ready'],
    ['cpu-2', 'ready'],
  ])
  const sessions = Array.from({ length: 6 }, (_, n) => new Session(service, `camera-${n}`))
  const before = sessions.map(({ seat }) => seat.news.engine)
  expect(['cpu-0', 'cpu-1', 'cpu-2'].map((id) => service.directory.seatsAt(id))).toEqual([2, 2, 2])
  const expected = await sessions[0]!.client.infer('face-reid-0095', crop, {})

  const victim = pids.get('engine:cpu-1')!
  // Stopped first, so that requests are surely open in it when it is killed.
  process.kill(victim, 'SIGSTOP')
  const asked = sessions.flatMap(({ client }) =>
    Array.from({ length: 8 }, () => client.infer('face-reid-0095', crop, {})),
  )
  process.kill(victim, 'SIGKILL')
  const answers = await Promise.all(asked)
  expect(answers).toHaveLength(48)
  for (const answer of answers) expect(answer).toEqual(expected)

  const moved = sessions.filter(({ told }) => told.length > 0)
  expect(moved.map((session) => sessions.indexOf(session))).toEqual([1, 4])
  for (const { told } of moved) expect(told.map(({ why }) => why)).toEqual(['placed'])
  for (const [n, { seat, told }] of sessions.entries()) {
    if (told.length === 0) expect(seat.news.engine).toEqual(before[n])
  }
  await until('the dead one is back', () => service.reports[1]?.restarts === 1)
  new Session(service, 'new')
  expect(service.directory.seatsAt('cpu-1')).toBe(1)
  expect(service.reports.map(({ restarts }) => restarts)).toEqual([0, 1, 0])
})

test('a session that is moved while requests are open loses none, and makes none a suspect', async () => {
  const { service } = await open([0, 1].map((index) => ({ device: 'cpu', index })))
  const endpoints = ['cpu-0', 'cpu-1'].map((id) => service.directory.endpointOf(id))
  const { client } = new Session(service, 'camera')
  let answered = 0
  const asked = Array.from({ length: 24 }, async () => {
    const answer = await client.infer('face-reid-0095', crop, {})
    answered++
    return answer
  })
  // Three moves, more than the engines that may die under a request, each while some are answered and others open.
  for (const n of [1, 0, 1]) {
    const before = answered
    await until('another answer', () => answered > before)
    client.setEndpoint(endpoints[n]!, 'moved')
  }
  const first = await asked[0]
  for (const answer of await Promise.all(asked)) expect(answer).toEqual(first)
})

test('a device that cannot run is refused with its reason; the other one serves', async () => {
  const { service } = await open([
    { device: 'cuda', index: 63 },
    { device: 'cpu', index: 0 },
  ])
  const [cuda, cpu] = service.reports
  expect(cpu).toMatchObject({ engine: 'cpu-0', state: 'ready', breaker: 'closed' })
  expect(cuda).toMatchObject({ engine: 'cuda-63', state: expect.stringMatching(/restarting|degraded/) })
  expect(cuda?.reason).toMatch(/^ENG_START: no device could run the models: cuda \(/)
  const { client } = new Session(service, 'camera')
  expect(
    (await client.infer('yunet', { ...crop, width: 64, height: 64, data: new Uint8Array(3 * 64 * 64) }, {})).columns,
  ).toBe(15)
})

test('models are swapped under load in every engine, without a restart', async () => {
  const { service, pids } = await open(
    [0, 1].map((index) => ({ device: 'cpu', index })),
    ['yunet'],
  )
  const sessions = [0, 1].map((n) => new Session(service, `camera-${n}`))
  const before = [...pids.values()]
  const picture = { width: 64, height: 64, data: new Uint8Array(3 * 64 * 64) }
  for (const { client } of sessions) {
    await expect(client.infer('face-reid-0095', crop, {})).rejects.toMatchObject({ code: 'MDL_MISSING' })
  }
  const wrong = service.swapModels([...specs(['yunet']), { id: 'face-reid-0095', path: modelPath('yunet') }])
  await expect(wrong).rejects.toMatchObject({ code: expect.stringMatching(/^MDL_/) })
  expect(service.reports.map(({ models }) => models)).toEqual([['yunet'], ['yunet']])
  let swapped = false
  const busy = sessions.map(async ({ client }) => {
    for (let n = 0; n < 10 || !swapped; n++) expect((await client.infer('yunet', picture, {})).columns).toBe(15)
  })
  await service.swapModels(specs(faceModels))
  swapped = true
  for (const { client } of sessions) expect((await client.infer('face-reid-0095', crop, {})).columns).toBe(256)
  await Promise.all(busy)
  expect(service.reports.map(({ models, restarts }) => [models, restarts])).toEqual([
    [faceModels, 0],
    [faceModels, 0],
  ])
  expect([...pids.values()]).toEqual(before)
})
