import { afterEach, describe, expect, it } from 'vitest'
import { Supervisor } from '../../actors/kernel/supervisor.ts'
import { servicePolicy } from '../../actors/policies.ts'
import { configSchema } from '../../config/schema.ts'
import { systemClock } from '../../core/clock.ts'
import { eventSubject } from '../../core/event.ts'
import type { EventBus } from '../../core/ports.ts'
import { createBus } from '../../src/bus-service.ts'
import { EventDesk } from '../../src/event-desk.ts'
import { Metrics } from '../../src/ops/metrics.ts'
import { DataDir } from '../../src/store/data-dir.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { cleanUp, motionEvent, onCleanUp, silentLogger, temporaryFolder, until } from './support/nats.ts'

afterEach(cleanUp)

const clock = systemClock
const SUBJECT = eventSubject('edge', 'lobby', 'motion')

async function serviceFor(url: string) {
  const dataDir = await DataDir.acquire(temporaryFolder(), { logger: silentLogger, clock })
  onCleanUp(() => Promise.resolve(dataDir.release()))
  const service = await createBus(url, 'edge', dataDir, silentLogger)
  onCleanUp(() => service.bus.close())
  return { service, dataDir }
}

/** What the metrics say of the bus's breaker, now and after each change: 0 closed, 1 half-open, 2 open. */
function watchBreaker(bus: EventBus, dataDir: DataDir): number[] {
  const store = openStore(dataDir.database)
  const metrics = new Metrics()
  onCleanUp(() => {
    metrics.close()
    store.close()
  })
  new EventDesk({ store, bus, config: configSchema.parse({}), historyRows: () => 1000, logger: silentLogger, metrics })
  const told: number[] = []
  const look = async () => {
    told.push(Number(/^grabber_circuit_breaker_state\{name="bus"\} (\d)$/m.exec(await metrics.text())?.[1]))
  }
  void look()
  bus.onState(() => void look())
  return told
}

describe('the choice of a bus', () => {
  it('is in the process for none', async () => {
    const { service } = await serviceFor('none')
    expect(service.child).toBeNull()
    expect(await service.bus.publishEvent(SUBJECT, motionEvent(1))).toEqual({ duplicate: false })
  })

  it('is a supervised local server for auto: killed, it comes back on its port and the bus with it', async () => {
    const { service, dataDir } = await serviceFor('auto')
    const spec = { ...servicePolicy, id: 'bus', children: [service.child!] }
    const supervisor = Supervisor.start(spec, { clock, logger: silentLogger })
    onCleanUp(() => supervisor.stop())
    const breaker = watchBreaker(service.bus, dataDir)
    await until('the bus is connected', () => service.bus.state === 'connected')
    const [first] = dataDir.run.children
    process.kill(first!.pid, 'SIGKILL')
    await until('the bus noticed', () => service.bus.state !== 'connected')
    await until('the bus is back', () => service.bus.state === 'connected')
    await until('its server is noted', () => ![undefined, first!.pid].includes(dataDir.run.children[0]?.pid))
    expect(supervisor.inspect().restarts).toBe(1)
    await until('the breaker was told of', () => breaker.length === 4)
    expect(breaker).toEqual([1, 0, 2, 0])
  })

  it('refuses an address that is none, without showing what is in it', async () => {
    await expect(serviceFor('http://anna:hush@host')).rejects.toMatchObject({
      code: 'CFG_INVALID',
      message: expect.not.stringContaining('hush'),
    })
  })
})

it('keeps as many published events as the configuration says now', async () => {
  const { service, dataDir } = await serviceFor('none')
  const store = openStore(dataDir.database)
  const metrics = new Metrics()
  let rows = 20
  const config = configSchema.parse({})
  const desk = new EventDesk({
    store,
    bus: service.bus,
    config,
    historyRows: () => rows,
    logger: silentLogger,
    metrics,
  })
  const outbox = desk.open()
  onCleanUp(async () => {
    await outbox.stop()
    metrics.close()
    store.close()
  })
  for (let n = 0; n < 30; n++) desk.submit(motionEvent(n))
  await until('the oldest are gone', () => desk.recent(1000).length === 20)
  rows = 5
  await until('more of them are gone', () => desk.recent(1000).length === 5)
  expect(desk.recent(1)[0]?.id).toBe(motionEvent(29).id)
})
