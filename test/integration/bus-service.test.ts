import { afterEach, describe, expect, it } from 'vitest'
import { Supervisor } from '../../actors/kernel/supervisor.ts'
import { servicePolicy } from '../../actors/policies.ts'
import { systemClock } from '../../core/clock.ts'
import { eventSubject } from '../../core/event.ts'
import { createBus } from '../../src/bus-service.ts'
import { DataDir } from '../../src/store/data-dir.ts'
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
    await until('the bus is connected', () => service.bus.state === 'connected')
    const [first] = dataDir.run.children
    process.kill(first!.pid, 'SIGKILL')
    await until('the bus noticed', () => service.bus.state !== 'connected')
    await until('the bus is back', () => service.bus.state === 'connected')
    expect(dataDir.run.children[0]!.pid).not.toBe(first!.pid)
    expect(supervisor.inspect().restarts).toBe(1)
  })

  it('refuses an address that is none, without showing what is in it', async () => {
    await expect(serviceFor('http://anna:hush@host')).rejects.toMatchObject({
      code: 'CFG_INVALID',
      message: expect.not.stringContaining('hush'),
    })
  })
})
