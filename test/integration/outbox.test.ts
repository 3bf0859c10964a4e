import { join } from 'node:path'
import { connect, StringCodec } from 'nats'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import type { EventBus, EventLog } from '../../core/ports.ts'
import { DeadLetters } from '../../src/bus/dead-letters.ts'
import { MemoryBus } from '../../src/bus/memory-bus.ts'
import { NatsBus } from '../../src/bus/nats-bus.ts'
import { Outbox } from '../../src/bus/outbox.ts'
import { SqliteEventLog } from '../../src/store/events.ts'
import { openStore } from '../../src/store/sqlite.ts'
import {
  cleanUp,
  localServer,
  motionEvent,
  onCleanUp,
  silentLogger,
  storedIds,
  temporaryFolder,
  until,
} from './support/nats.ts'

afterEach(cleanUp)

function sqliteLog(dataDir: string): EventLog {
  const store = openStore(join(dataDir, 'grabber.db'))
  onCleanUp(() => store.close())
  return new SqliteEventLog(store)
}

function natsBus(url: string): NatsBus {
  const bus = new NatsBus({ url, name: 'test', logger: silentLogger, clock: systemClock })
  onCleanUp(() => bus.close())
  return bus
}

type BusOfOutbox = Pick<EventBus, 'state' | 'onState' | 'publishEvent' | 'publishStored'>

function outboxOf(log: EventLog, bus: BusOfOutbox): Outbox {
  const onFailure = (error: unknown) => {
    throw error
  }
  const dead = new DeadLetters({ bus, logger: silentLogger })
  const outbox = new Outbox({ node: 'edge', log, bus, dead, clock: systemClock, onFailure })
  onCleanUp(() => outbox.close())
  return outbox
}

const idsOf = (count: number) => Array.from({ length: count }, (_, n) => motionEvent(n).id)

describe('the outbox with a real server', () => {
  it('stores 500 events exactly once and in order, though the server is killed amid them', async () => {
    const dataDir = temporaryFolder()
    const server = await localServer(dataDir)
    const outbox = outboxOf(sqliteLog(dataDir), natsBus(server.url))
    let published = 0
    outbox.onPublished(() => {
      published++
      if (published === 120) process.kill(server.pid, 'SIGKILL')
    })
    for (let n = 0; n < 300; n++) outbox.submit(motionEvent(n))
    await server.exited
    for (let n = 300; n < 500; n++) outbox.submit(motionEvent(n))
    expect(await outbox.flush(50)).toBe(false)
    const depthWhileAway = outbox.depth
    expect(depthWhileAway).toBeGreaterThanOrEqual(500 - 120 - 32)
    await localServer(dataDir, server.port)
    expect(await outbox.flush(20_000)).toBe(true)
    expect(outbox.depth).toBe(0)
    expect(published).toBe(500)
    expect(await storedIds(server.url)).toEqual(idsOf(500))
  })

  it('survives the server being killed several times', async () => {
    const dataDir = temporaryFolder()
    let server = await localServer(dataDir)
    const outbox = outboxOf(sqliteLog(dataDir), natsBus(server.url))
    let published = 0
    outbox.onPublished(() => {
      published++
      if ([50, 51, 200].includes(published)) process.kill(server.pid, 'SIGKILL')
    })
    for (let n = 0; n < 300; n++) outbox.submit(motionEvent(n))
    while (!(await outbox.flush(0))) {
      await Promise.race([server.exited, outbox.flush(20_000)])
      if (outbox.depth > 0) server = await localServer(dataDir, server.port)
    }
    expect(await storedIds(server.url)).toEqual(idsOf(300))
  })

  it('stores an event once when its acknowledgement was lost', async () => {
    const dataDir = temporaryFolder()
    const server = await localServer(dataDir)
    const bus = natsBus(server.url)
    const lost = new Set([3, 4, 9].map((n) => motionEvent(n).id))
    const deaf: BusOfOutbox = {
      state: 'connected',
      onState: () => () => undefined,
      publishStored: (message) => bus.publishStored(message),
      async publishEvent(subject, event) {
        const answer = await bus.publishEvent(subject, event)
        if (lost.delete(event.id)) throw new GrabberError('BUS_UNAVAILABLE', 'no answer')
        return answer
      },
    }
    await until('the bus is connected', () => bus.state === 'connected')
    const outbox = outboxOf(sqliteLog(dataDir), deaf)
    for (let n = 0; n < 20; n++) outbox.submit(motionEvent(n))
    expect(await outbox.flush(10_000)).toBe(true)
    expect(lost.size).toBe(0)
    expect(await storedIds(server.url)).toEqual(idsOf(20))
  })

  it('publishes nothing again that the store knows, however long ago the server forgot it', async () => {
    const dataDir = temporaryFolder()
    const log = sqliteLog(dataDir)
    const server = await localServer(dataDir)
    const bus = natsBus(server.url)
    const first = outboxOf(log, bus)
    for (let n = 0; n < 20; n++) first.submit(motionEvent(n))
    expect(await first.flush(10_000)).toBe(true)
    await first.close()
    // A stream of the same name that never saw these ids: what remains of the window after a long time.
    const client = await connect({ servers: server.url })
    onCleanUp(() => client.close())
    await (await client.jetstreamManager()).streams.delete('GRABBER_EVENTS')
    const second = outboxOf(log, bus)
    for (let n = 0; n < 20; n++) expect(second.submit(motionEvent(n))).toBe(false)
    expect(second.submit(motionEvent('new'))).toBe(true)
    expect(await second.flush(10_000)).toBe(true)
    expect(await storedIds(server.url)).toEqual([motionEvent('new').id])
  })

  it('goes on after a restart with what the last run left', async () => {
    const dataDir = temporaryFolder()
    const log = sqliteLog(dataDir)
    const away = outboxOf(log, natsBus('nats://127.0.0.1:1'))
    for (let n = 0; n < 40; n++) away.submit(motionEvent(n))
    await away.close()
    const server = await localServer(dataDir)
    const outbox = outboxOf(log, natsBus(server.url))
    expect(outbox.depth).toBe(40)
    expect(await outbox.flush(10_000)).toBe(true)
    expect(await storedIds(server.url)).toEqual(idsOf(40))
  })

  it('puts an event that is refused for good among the dead letters, and goes on', async () => {
    const dataDir = temporaryFolder()
    const server = await localServer(dataDir)
    const client = await connect({ servers: server.url })
    onCleanUp(() => client.close())
    const manager = await client.jetstreamManager()
    await manager.streams.add({ name: 'GRABBER_EVENTS', subjects: ['grabber.*.events.>'], max_msg_size: 1000 })
    const outbox = outboxOf(sqliteLog(dataDir), natsBus(server.url))
    const bad = motionEvent('bad', 'yard')
    Object.assign(bad.data, { padding: 'x'.repeat(1000) })
    for (let n = 0; n < 10; n++) outbox.submit(n === 5 ? bad : motionEvent(n))
    expect(await outbox.flush(10_000)).toBe(true)
    expect(await storedIds(server.url)).toEqual(idsOf(10).filter((_, n) => n !== 5))
    await until(
      'the dead letter is stored',
      async () => (await manager.streams.info('GRABBER_DEAD')).state.messages === 1,
    )
    const letter = await manager.streams.getMessage('GRABBER_DEAD', { seq: 1 })
    expect(letter.subject).toBe('grabber.edge.dead.yard')
    expect(JSON.parse(StringCodec().decode(letter.data))).toMatchObject({
      reason: { code: 'BUS_REFUSED', message: expect.stringContaining('message size') },
      subject: 'grabber.edge.events.yard.motion',
      event: { id: bad.id, data: { phase: 'start' } },
    })
  })
})

describe('the outbox with the bus in memory', () => {
  it('delivers in order, once', async () => {
    const bus = new MemoryBus(silentLogger)
    const seen: string[] = []
    bus.subscribe('grabber.edge.events.>', ({ headers }) => seen.push(headers['ce-id']!))
    const outbox = outboxOf(sqliteLog(temporaryFolder()), bus)
    for (let n = 0; n < 100; n++) outbox.submit(motionEvent(n))
    for (let n = 0; n < 100; n++) outbox.submit(motionEvent(n))
    expect(await outbox.flush(10_000)).toBe(true)
    expect(seen).toEqual(idsOf(100))
  })
})
