import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { eventSubject } from '../../core/event.ts'
import type { BusMessage, EventBus, ServiceSpec } from '../../core/ports.ts'
import { fromMessage } from '../../src/bus/event-message.ts'
import { MemoryBus } from '../../src/bus/memory-bus.ts'
import { NatsBus } from '../../src/bus/nats-bus.ts'
import { cleanUp, localServer, motionEvent, onCleanUp, recordingLogger, until } from '../integration/support/nats.ts'

const logger = recordingLogger()

const buses: Record<string, () => Promise<EventBus>> = {
  MemoryBus: async () => new MemoryBus(logger),
  NatsBus: async () => {
    const { url } = await localServer()
    return new NatsBus({ url, name: 'contract', logger, clock: systemClock })
  },
}

afterEach(cleanUp)

describe.each(Object.entries(buses))('%s as an EventBus', (_name, make) => {
  async function open(): Promise<EventBus> {
    const bus = await make()
    onCleanUp(() => bus.close())
    await until('the bus is connected', () => bus.state === 'connected')
    return bus
  }

  /** Messages of a subscription, with a way to wait until all that was published so far has come. */
  function collect(bus: EventBus, subject: string) {
    const messages: BusMessage[] = []
    bus.subscribe(subject, (message) => messages.push(message))
    return messages
  }

  /** Everything published before has been delivered once this later message has. */
  async function settle(bus: EventBus) {
    const marker = `test.settle.${Math.random().toString(36).slice(2)}`
    let seen = false
    const stop = bus.subscribe(marker, () => {
      seen = true
    })
    bus.publishLive(marker, {})
    await until('the marker comes back', () => seen)
    stop()
  }

  const event = motionEvent(1)
  const subject = eventSubject('edge', 'lobby', 'motion')

  it('delivers an event in CloudEvents binary mode', async () => {
    const bus = await open()
    const messages = collect(bus, 'grabber.edge.events.>')
    expect(await bus.publishEvent(subject, event)).toEqual({ duplicate: false })
    await settle(bus)
    expect(messages).toHaveLength(1)
    const message = messages[0]!
    expect(message.subject).toBe('grabber.edge.events.lobby.motion')
    expect(message.headers).toMatchObject({
      'ce-specversion': '1.0',
      'ce-id': event.id,
      'ce-source': '/grabber/edge/lobby',
      'ce-type': 'motion',
      'ce-subject': 'lobby',
      'ce-time': '2023-11-14T22:13:20.000Z',
      'ce-dataschema': 'urn:grabber:schema:motion:1',
      'content-type': 'application/json',
      'Nats-Msg-Id': event.id,
    })
    expect(JSON.parse(Buffer.from(message.data).toString())).toEqual(event.data)
    expect(fromMessage(message)).toEqual(event)
  })

  it('knows an id that it has taken before', async () => {
    const bus = await open()
    await bus.publishEvent(subject, event)
    expect(await bus.publishEvent(subject, event)).toEqual({ duplicate: true })
    expect(await bus.publishEvent(subject, motionEvent(2))).toEqual({ duplicate: false })
  })

  it('stores a message as it is, once for each Nats-Msg-Id', async () => {
    const bus = await open()
    const messages = collect(bus, 'grabber.edge.dead.>')
    const letter = { subject: 'grabber.edge.dead.lobby', headers: { 'Nats-Msg-Id': 'dead-1' }, data: Buffer.from('{}') }
    expect(await bus.publishStored(letter)).toEqual({ duplicate: false })
    expect(await bus.publishStored(letter)).toEqual({ duplicate: true })
    await settle(bus)
    expect(messages[0]).toMatchObject({ subject: letter.subject, headers: letter.headers })
    expect(Buffer.from(messages[0]!.data).toString()).toBe('{}')
    await bus.close()
    await expect(bus.publishStored(letter)).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' })
  })

  it('keeps the order of publications', async () => {
    const bus = await open()
    const messages = collect(bus, 'grabber.*.events.lobby.*')
    const events = Array.from({ length: 50 }, (_, n) => motionEvent(`order ${n}`))
    await Promise.all(events.map((one) => bus.publishEvent(subject, one)))
    await settle(bus)
    expect(messages.map(({ headers }) => headers['ce-id'])).toEqual(events.map(({ id }) => id))
  })

  it('matches wildcards as NATS does', async () => {
    const bus = await open()
    const one = collect(bus, 'grabber.*.live.lobby.boxes')
    const rest = collect(bus, 'grabber.edge.>')
    const exact = collect(bus, 'grabber.edge.live.lobby.boxes')
    const other = collect(bus, 'grabber.*.boxes')
    bus.publishLive('grabber.edge.live.lobby.boxes', { boxes: [1] })
    bus.publishLive('grabber.edge', {})
    await settle(bus)
    expect([one.length, rest.length, exact.length, other.length]).toEqual([1, 1, 1, 0])
    expect(JSON.parse(Buffer.from(one[0]!.data).toString())).toEqual({ boxes: [1] })
  })

  it('delivers nothing after unsubscribing', async () => {
    const bus = await open()
    const messages: BusMessage[] = []
    const stop = bus.subscribe('a.b', (message) => messages.push(message))
    stop()
    bus.publishLive('a.b', {})
    await settle(bus)
    expect(messages).toEqual([])
  })

  it('goes on when a handler throws, and says so', async () => {
    const bus = await open()
    logger.lines.length = 0
    bus.subscribe('a.b', () => {
      throw new Error('a handler broke')
    })
    const messages = collect(bus, 'a.b')
    bus.publishLive('a.b', {})
    bus.publishLive('a.b', {})
    await settle(bus)
    expect(messages).toHaveLength(2)
    expect(logger.lines.map(({ message }) => message)).toContain('a bus handler failed')
  })

  const ask = (subject: string, text = '', headers = {}) => ({ subject, headers, data: Buffer.from(text) })
  const answered = { failure: null }

  it('serves requests: each gets its own answer, however long another takes, and a failure is said in headers too', async () => {
    const bus = await open()
    const slow = Promise.withResolvers<void>()
    const spec: ServiceSpec = {
      name: 'grabber',
      version: '1.2.3',
      description: 'for the test',
      metadata: { node: 'edge' },
      endpoints: [
        {
          name: 'echo',
          subject: 'svc.echo',
          answer: async ({ data, headers }) => ({ data: Buffer.from(`${data} ${headers['x-id']}`), ...answered }),
        },
        {
          name: 'wait',
          subject: 'svc.wait',
          answer: async () => {
            await slow.promise
            return { data: Buffer.from('late'), ...answered }
          },
        },
        {
          name: 'fail',
          subject: 'svc.fail',
          answer: async () => ({ data: Buffer.from('{}'), failure: { status: 404, message: 'none\nhere' } }),
        },
      ],
    }
    const stop = bus.serve(spec)
    await until('it is served', () => bus.request(ask('svc.fail'), 1000).then(Boolean, () => false))
    const late = bus.request(ask('svc.wait'), 10_000)
    const echo = await bus.request(ask('svc.echo', 'hello', { 'x-id': '7' }), 1000)
    expect(Buffer.from(echo.data).toString()).toBe('hello 7')
    slow.resolve()
    expect(Buffer.from((await late).data).toString()).toBe('late')
    expect((await bus.request(ask('svc.fail'), 1000)).headers).toMatchObject({
      'Nats-Service-Error-Code': '404',
      'Nats-Service-Error': 'none here',
    })
    stop()
    await until('it is not served any more', () =>
      bus.request(ask('svc.fail'), 1000).then(
        () => false,
        () => true,
      ),
    )
    expect(logger.lines.filter(({ message }) => message.includes('service'))).toEqual([])
  })

  it('refuses a request that nobody answers, or not in time', async () => {
    const bus = await open()
    const answer = () => new Promise<never>(() => undefined)
    const endpoints = [{ name: 'never', subject: 'svc.never', answer }]
    bus.serve({ name: 'grabber', version: '1.2.3', description: '', metadata: {}, endpoints })
    await expect(bus.request(ask('svc.nobody'), 1000)).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' })
    await expect(bus.request(ask('svc.never'), 50)).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' })
    await bus.close()
    await expect(bus.request(ask('svc.never'), 50)).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' })
  })

  it('ends in closed: refuses events, tells its listeners once, drops live messages', async () => {
    const bus = await open()
    const states: string[] = []
    bus.onState((state) => states.push(state))
    bus.onState(() => states.push('never called'))()
    await bus.close()
    await bus.close()
    expect(bus.state).toBe('closed')
    expect(states).toEqual(['closed'])
    await expect(bus.publishEvent(subject, event)).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' })
    expect(() => bus.publishLive('a.b', {})).not.toThrow()
  })
})
