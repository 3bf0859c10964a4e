import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { connect } from 'nats'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { eventSubject } from '../../core/event.ts'
import type { ServiceSpec } from '../../core/ports.ts'
import { NatsBus } from '../../src/bus/nats-bus.ts'
import { natsServerVersion, startNatsServer } from '../../src/bus/nats-server.ts'
import { identify, lives } from '../../src/store/process-identity.ts'
import {
  cleanUp,
  configuredServer,
  freePort,
  localServer,
  motionEvent,
  onCleanUp,
  recordingLogger,
  silentLogger,
  storedIds,
  temporaryFolder,
  until,
} from './support/nats.ts'

afterEach(cleanUp)

const clock = systemClock
const SUBJECT = eventSubject('edge', 'lobby', 'motion')

function busTo(url: string, logger = silentLogger): NatsBus {
  const bus = new NatsBus({ url, name: 'test', logger, clock })
  onCleanUp(() => bus.close())
  return bus
}

const connected = (bus: NatsBus) => until('the bus is connected', () => bus.state === 'connected')

async function listening(port: number, host = '127.0.0.1') {
  const server = createServer().listen(port, host)
  await once(server, 'listening')
  onCleanUp(() => new Promise((resolve) => server.close(resolve)))
}

describe('the local nats-server', () => {
  it('says its version', async () => {
    expect(await natsServerVersion()).toMatch(/^nats-server: v\d/)
  })

  it('comes up with JetStream in the data folder, and stops when asked', async () => {
    const dataDir = temporaryFolder()
    const server = await localServer(dataDir)
    expect(server.url).toBe(`nats://127.0.0.1:${server.port}`)
    expect(readFileSync(join(dataDir, 'nats/nats.pid'), 'utf8').trim()).toBe(String(server.pid))
    const bus = busTo(server.url)
    await connected(bus)
    await bus.publishEvent(SUBJECT, motionEvent(1))
    expect(existsSync(join(dataDir, 'nats/jetstream'))).toBe(true)
    const process = identify(server.pid)!
    const [exit, again] = await Promise.all([server.stop(), server.stop()])
    expect(exit).toEqual(again)
    expect(await server.exited).toEqual(exit)
    expect(lives(process)).toBe(false)
  })

  it('takes another port when 4222 is taken', async () => {
    if ((await freePort()) === 4222) await listening(4222)
    const server = await localServer()
    expect(server.port).not.toBe(4222)
    await connected(busTo(server.url))
  })

  it('refuses a fixed port that is taken, with the reason', async () => {
    const port = await freePort()
    await listening(port)
    const start = startNatsServer({ dataDir: temporaryFolder(), logger: silentLogger, clock, port })
    await expect(start).rejects.toMatchObject({
      code: 'BUS_START',
      message: expect.stringContaining('address already in use'),
    })
  })

  it('ends a server of its own folder that a killed daemon left, and starts on its data', async () => {
    const dataDir = temporaryFolder()
    const first = await localServer(dataDir)
    const bus = busTo(first.url)
    await connected(bus)
    await bus.publishEvent(SUBJECT, motionEvent(1))
    const second = await localServer(dataDir)
    expect(identify(first.pid)).toBeUndefined()
    expect(second.pid).not.toBe(first.pid)
    expect(await storedIds(second.url)).toEqual([motionEvent(1).id])
  })

  it('dies with a parent that is killed', async () => {
    const dataDir = temporaryFolder()
    const program = `
      import { startNatsServer } from ${JSON.stringify(join(import.meta.dirname, '../../src/bus/nats-server.ts'))}
      import { systemClock } from ${JSON.stringify(join(import.meta.dirname, '../../core/clock.ts'))}
      const logger = { debug() {}, info() {}, warn() {}, error() {}, child() { return logger } }
      const { pid } = await startNatsServer({ dataDir: ${JSON.stringify(dataDir)}, logger, clock: systemClock })
      process.stdout.write(String(pid))`
    const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onCleanUp(() => parent.kill('SIGKILL'))
    const [pid] = (await once(parent.stdout, 'data')) as [Buffer]
    const server = identify(Number(pid))!
    expect(lives(server)).toBe(true)
    parent.kill('SIGKILL')
    await until('the server is gone', () => !lives(server))
  })
})

describe('the NATS bus', () => {
  it('connects in the background when the server comes later', async () => {
    const port = await freePort()
    const bus = busTo(`nats://127.0.0.1:${port}`)
    expect(bus.state).toBe('connecting')
    await expect(bus.publishEvent(SUBJECT, motionEvent(1))).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' })
    bus.publishLive('a.b', {})
    await until('the first attempt failed', () => bus.state === 'offline')
    await localServer(temporaryFolder(), port)
    await connected(bus)
    expect(await bus.publishEvent(SUBJECT, motionEvent(1))).toEqual({ duplicate: false })
  })

  const service: ServiceSpec = {
    name: 'grabber',
    version: '1.2.3',
    description: 'for the test',
    metadata: { node: 'edge' },
    endpoints: [{ name: 'ask', subject: 'svc.ask', answer: async () => ({ data: Buffer.from('yes'), failure: null }) }],
  }

  it('comes back after the server was killed, with its subscriptions and services', async () => {
    const dataDir = temporaryFolder()
    const server = await localServer(dataDir)
    const bus = busTo(server.url)
    await connected(bus)
    const states: string[] = []
    bus.onState((state) => states.push(state))
    const seen: string[] = []
    bus.subscribe('a.*', ({ subject }) => seen.push(subject))
    const gone: string[] = []
    const stop = bus.subscribe('a.*', ({ subject }) => gone.push(subject))
    bus.serve(service)
    const stopService = bus.serve({ ...service, name: 'gone' })
    process.kill(server.pid, 'SIGKILL')
    await server.exited
    await until('the bus noticed', () => bus.state === 'offline')
    stop()
    stopService()
    await expect(bus.publishEvent(SUBJECT, motionEvent(1))).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' })
    await localServer(dataDir, server.port)
    await connected(bus)
    expect(states).toEqual(['offline', 'connected'])
    bus.publishLive('a.b', {})
    await until('the subscription works again', () => seen.length === 1)
    expect(gone).toEqual([])

    const client = await connect({ servers: server.url })
    onCleanUp(() => client.close())
    expect((await client.request('svc.ask')).string()).toBe('yes')
    // What `nats micro ls` asks; the first to answer is the only one.
    const found: unknown[] = []
    for await (const { data } of await client.requestMany('$SRV.PING', undefined, { maxWait: 300 })) {
      found.push(JSON.parse(Buffer.from(data).toString()))
    }
    expect(found).toMatchObject([{ name: 'grabber', version: '1.2.3', metadata: { node: 'edge' } }])
  })

  it('goes on where it may not serve, and says so', async () => {
    const { url } = await configuredServer(
      'authorization { users: [{ user: u, password: pw, permissions: { subscribe: { deny: ["svc.>"] } } }] }',
    )
    const logger = recordingLogger()
    const bus = busTo(url('u:pw@'), logger)
    bus.serve(service)
    await until('it is said', () => logger.lines.some(({ message }) => message === 'a service ended'))
    await connected(bus)
    expect(await bus.publishEvent(SUBJECT, motionEvent(1))).toEqual({ duplicate: false })
  })

  it('rejects what is under way at once when the connection breaks', async () => {
    const server = await localServer()
    const bus = busTo(server.url)
    await connected(bus)
    // Stopped, the server takes bytes and answers nothing.
    process.kill(server.pid, 'SIGSTOP')
    const publication = bus.publishEvent(SUBJECT, motionEvent(1))
    process.kill(server.pid, 'SIGKILL')
    await expect(publication).rejects.toMatchObject({
      code: 'BUS_UNAVAILABLE',
      message: expect.stringContaining('the connection ended'),
    })
  })

  it('creates its streams once, and leaves those that exist as they are', async () => {
    const server = await localServer()
    const client = await connect({ servers: server.url })
    onCleanUp(() => client.close())
    const manager = await client.jetstreamManager()
    await manager.streams.add({ name: 'GRABBER_EVENTS', subjects: ['grabber.*.events.>'], max_msgs: 7 })
    const bus = busTo(server.url)
    await connected(bus)
    expect((await manager.streams.info('GRABBER_EVENTS')).config).toMatchObject({ max_msgs: 7 })
    expect((await manager.streams.info('GRABBER_DEAD')).config).toMatchObject({
      subjects: ['grabber.*.dead.>'],
      storage: 'file',
      max_bytes: 64 * 1024 * 1024,
      duplicate_window: 120e9,
    })
  })

  it('makes the stream again when it was deleted while connected', async () => {
    const server = await localServer()
    const bus = busTo(server.url)
    await connected(bus)
    const client = await connect({ servers: server.url })
    onCleanUp(() => client.close())
    await (await client.jetstreamManager()).streams.delete('GRABBER_EVENTS')
    await expect(bus.publishEvent(SUBJECT, motionEvent(1))).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' })
    expect(await bus.publishEvent(SUBJECT, motionEvent(1))).toEqual({ duplicate: false })
  })

  it('says refused for a message that will never be taken', async () => {
    const server = await localServer()
    const client = await connect({ servers: server.url })
    onCleanUp(() => client.close())
    const manager = await client.jetstreamManager()
    await manager.streams.add({ name: 'GRABBER_EVENTS', subjects: ['grabber.*.events.>'], max_msg_size: 100 })
    const bus = busTo(server.url)
    await connected(bus)
    await expect(bus.publishEvent(SUBJECT, motionEvent(1))).rejects.toMatchObject({ code: 'BUS_REFUSED' })
    const huge = motionEvent(2)
    Object.assign(huge.data, { padding: 'x'.repeat(2 * 1024 * 1024) })
    await expect(bus.publishEvent(SUBJECT, huge)).rejects.toMatchObject({ code: 'BUS_REFUSED' })
    bus.publishLive('a.b', huge)
    expect(bus.state).toBe('connected')
  })

  it('closes while it is trying to connect, and shows no credentials', async () => {
    const logger = recordingLogger()
    const bus = busTo(`nats://anna:hush@127.0.0.1:${await freePort()}`, logger)
    await until('an attempt failed', () => bus.state === 'offline')
    const refusal = await bus.publishEvent(SUBJECT, motionEvent(1)).catch((error: unknown) => error)
    await bus.close()
    expect(bus.state).toBe('closed')
    expect(JSON.stringify(logger.lines) + String(refusal)).not.toMatch(/hush|anna/)
    expect(logger.lines).toHaveLength(1)
  })
})

describe('an event whose acknowledgement was lost', () => {
  it('is known by the end of the stream, also when the server has forgotten its id', async () => {
    const server = await localServer()
    const plain = await connect({ servers: server.url })
    onCleanUp(() => plain.close())
    const manager = await plain.jetstreamManager()
    const windowMs = 100
    await manager.streams.add({
      name: 'GRABBER_EVENTS',
      subjects: ['grabber.*.events.>'],
      duplicate_window: windowMs * 1e6,
    })
    const event = motionEvent('once')
    const before = busTo(server.url)
    await connected(before)
    expect(await before.publishEvent(SUBJECT, event)).toEqual({ duplicate: false })
    const storedMs = performance.now()
    await before.close()
    await until('the window has passed', () => performance.now() - storedMs > 3 * windowMs)

    const after = busTo(server.url)
    await connected(after)
    expect(await after.publishEvent(SUBJECT, event)).toEqual({ duplicate: true })
    expect(await after.publishEvent(SUBJECT, motionEvent('another'))).toEqual({ duplicate: false })
    expect(await storedIds(server.url)).toEqual([event.id, motionEvent('another').id])
  })
})
