import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type NatsConnection } from 'nats'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { type CloudEvent, NODE_CAMERA } from '../../core/event.ts'
import { DeadLetters } from '../../src/bus/dead-letters.ts'
import { NatsBus } from '../../src/bus/nats-bus.ts'
import { Outbox } from '../../src/bus/outbox.ts'
import { SqliteEventLog } from '../../src/store/events.ts'
import { openStore } from '../../src/store/sqlite.ts'
import {
  cleanUp,
  configuredServer,
  localServer,
  motionEvent,
  onCleanUp,
  silentLogger,
  storedIds,
  until,
} from '../integration/support/nats.ts'
import { startDaemon } from './support/daemon.ts'
import { Grabber } from './support/grabber.ts'

afterEach(cleanUp)

/** An outbox on the data folder of a grabber, and the commands of that grabber on the same server. */
function setUp(url: string, cliUrl = url) {
  const grabber = new Grabber()
  onCleanUp(() => grabber[Symbol.dispose]())
  mkdirSync(grabber.data, { mode: 0o700 })
  const store = openStore(join(grabber.data, 'grabber.db'))
  onCleanUp(() => store.close())
  const bus = new NatsBus({ url, name: 'test', logger: silentLogger, clock: systemClock })
  onCleanUp(() => bus.close())
  const counted: string[] = []
  const dead = new DeadLetters({ bus, logger: silentLogger, onLetter: (reason) => counted.push(reason) })
  const onFailure = (error: unknown) => {
    throw error
  }
  const outbox = new Outbox({ node: 'edge', log: new SqliteEventLog(store), bus, dead, clock: systemClock, onFailure })
  onCleanUp(() => outbox.close())
  const command = (...args: string[]) => grabber.run('events', 'dead', ...args, '--nats', cliUrl)
  return { bus, dead, outbox, counted, command }
}

async function client(url: string): Promise<NatsConnection> {
  const connection = await connect({ servers: url })
  onCleanUp(() => connection.close())
  return connection
}

interface Row {
  seq: number
  time: string
  reason: { code: string; message: string }
  subject: string
  event?: CloudEvent
}

const letters = async (command: (...args: string[]) => Promise<{ out: string }>) =>
  JSON.parse((await command('list', '--json')).out) as Row[]

describe('dead letters of a real server', () => {
  it('a message over the size of the stream: listed, refused again, stored once there is room, dropped on demand', async () => {
    const server = await localServer()
    const manager = await (await client(server.url)).jetstreamManager()
    const stream = { name: 'GRABBER_EVENTS', subjects: ['grabber.*.events.>'] }
    await manager.streams.add({ ...stream, max_msg_size: 1000 })
    const { outbox, counted, command } = setUp(server.url)
    const bad = ['a', 'b'].map((key) => motionEvent(key, 'yard'))
    for (const event of bad) Object.assign(event.data, { padding: 'x'.repeat(1000) })
    for (const event of [motionEvent(1), ...bad, motionEvent(2)]) outbox.submit(event)
    expect(await outbox.flush(20_000)).toBe(true)
    expect(counted).toEqual(['BUS_REFUSED', 'BUS_REFUSED'])
    expect(await storedIds(server.url)).toEqual([motionEvent(1).id, motionEvent(2).id])

    const listed = await letters(command)
    expect(listed.map(({ event }) => event)).toEqual(bad)
    expect(listed[0]).toMatchObject({
      seq: 1,
      subject: 'grabber.edge.events.yard.motion',
      reason: { code: 'BUS_REFUSED', message: expect.stringContaining('message size') },
    })
    expect((await command('list')).out).toMatch(
      /SEQ +TIME +SUBJECT +CODE +REASON\n1 .*grabber\.edge\.events\.yard\.motion/,
    )

    const again = await command('replay', '--all')
    expect(again).toMatchObject({ status: 5, out: '', err: expect.stringContaining('2 of 2 letters stay') })
    expect(await letters(command)).toEqual(listed)

    await manager.streams.update('GRABBER_EVENTS', { ...stream, max_msg_size: 100_000 })
    expect(await command('replay', '1')).toMatchObject({ status: 0, out: '1: stored\n' })
    expect(await storedIds(server.url)).toEqual([motionEvent(1).id, motionEvent(2).id, bad[0]!.id])
    expect((await letters(command)).map(({ seq }) => seq)).toEqual([2])
    expect(await command('replay', '1')).toMatchObject({ status: 2, err: expect.stringMatching(/^API_NOT_FOUND: /) })
    expect(await command('drop', '2')).toMatchObject({ status: 0, out: '2: dropped\n' })
    expect((await command('list')).out).toBe('there are no dead letters\n')
    expect(await storedIds(server.url)).toHaveLength(3)
  })

  it('a payload that no message of the server may have: the letter is without it, the replay takes it from the history', async () => {
    const small = await configuredServer('max_payload: 2000')
    const { outbox, counted, command } = setUp(small.url())
    const large = motionEvent('large')
    Object.assign(large.data, { padding: 'x'.repeat(3000) })
    outbox.submit(large)
    expect(await outbox.flush(20_000)).toBe(true)
    expect(counted).toEqual(['BUS_REFUSED'])
    expect(await letters(command)).toMatchObject([{ event: { id: large.id, data: null } }])
    expect(await command('replay', '1')).toMatchObject({ status: 5, err: expect.stringMatching(/^BUS_REFUSED: /) })

    await small.stop()
    const larger = await configuredServer('max_payload: 100000', small.storeDir, small.port)
    expect(await command('replay', '--all')).toMatchObject({ status: 0, out: '1: stored\n' })
    const manager = await (await client(larger.url())).jetstreamManager()
    const stored = await manager.streams.getMessage('GRABBER_EVENTS', { seq: 1 })
    expect(stored.json()).toEqual(large.data)
    expect(await letters(command)).toEqual([])
  })

  it('a subject that may not be published to: stored by one who may', async () => {
    const server = await configuredServer(`authorization { users: [
      { user: camera, password: pw, permissions: { publish: { deny: ["grabber.*.events.yard.>"] } } }
      { user: operator, password: hush } ] }`)
    const { outbox, command } = setUp(server.url('camera:pw@'), server.url('operator:hush@'))
    for (const event of [motionEvent(1), motionEvent('denied', 'yard'), motionEvent(2)]) outbox.submit(event)
    expect(await outbox.flush(20_000)).toBe(true)
    const operator = { servers: server.url(), user: 'operator', pass: 'hush' }
    expect(await storedIds(operator)).toEqual([motionEvent(1).id, motionEvent(2).id])
    expect(await letters(command)).toMatchObject([
      { reason: { code: 'BUS_REFUSED', message: expect.stringMatching(/permissions violation/i) } },
    ])
    expect(await command('replay', '1')).toMatchObject({ status: 0, out: '1: stored\n' })
    expect(await storedIds(operator)).toContain(motionEvent('denied', 'yard').id)
  })

  it('a message from outside: what came in is sent once more as it was', async () => {
    const server = await localServer()
    const { bus, dead, counted, command } = setUp(server.url)
    await until('the bus is connected', () => bus.state === 'connected')
    const message = { headers: { 'x-from': 'a door' }, data: Buffer.from([0xff, 0, 1]) }
    await dead.bury({
      id: 'poison-1',
      node: 'edge',
      camera: NODE_CAMERA,
      reason: { code: 'API_BAD_REQUEST', message: 'seconds: not a number', remedy: 'correct it' },
      subject: 'grabber.edge.trigger.lobby',
      message,
    })
    expect(counted).toEqual(['API_BAD_REQUEST'])
    const subscription = (await client(server.url)).subscribe('grabber.edge.trigger.lobby', { max: 1 })
    expect(await command('replay', '1')).toMatchObject({ status: 0, out: '1: sent\n' })
    for await (const { data, headers } of subscription) {
      expect(Buffer.from(data)).toEqual(message.data)
      expect(headers!.get('x-from')).toBe('a door')
    }
    expect(await letters(command)).toEqual([])
  })
})

it('a daemon counts its dead letters', async () => {
  const server = await localServer()
  const manager = await (await client(server.url)).jetstreamManager()
  await manager.streams.add({ name: 'GRABBER_EVENTS', subjects: ['grabber.*.events.>'], max_msg_size: 50 })
  const grabber = new Grabber()
  onCleanUp(() => grabber[Symbol.dispose]())
  const config = grabber.path('grabber.yaml')
  writeFileSync(
    config,
    `http: { port: 0 }\nnats: { url: "${server.url}" }\ncameras: { a: { source: "file:missing.mp4" } }\n`,
  )
  const daemon = await startDaemon(grabber, config)
  const counted = /^grabber_dead_letters_total\{reason="BUS_REFUSED"\} [1-9]/m
  await until('a letter is counted', async () => counted.test(await daemon.text('/metrics')))
  const { out } = await grabber.run('-c', config, 'events', 'dead', 'list')
  expect(out).toContain('grabber.edge-1.events.a.camera.state')
  expect(await daemon.stop()).toBe(0)
})

it('says what is wrong with the numbers, and when there is no server', async () => {
  const { command } = setUp('nats://127.0.0.1:1')
  for (const wrong of [[], ['1', '--all'], ['x'], ['0'], ['-1']]) {
    expect(await command('drop', ...wrong)).toMatchObject({ status: 2, err: expect.stringMatching(/^CFG_USAGE: /) })
  }
  expect(await command('list')).toMatchObject({ status: 5, err: expect.stringMatching(/^BUS_UNAVAILABLE: /) })
})
