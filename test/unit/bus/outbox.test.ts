import { describe, expect, it } from 'vitest'
import { GrabberError } from '../../../core/errors.ts'
import type { CloudEvent } from '../../../core/event.ts'
import type { BusMessage, BusState, EventBus, EventLog } from '../../../core/ports.ts'
import { DeadLetters } from '../../../src/bus/dead-letters.ts'
import { Outbox } from '../../../src/bus/outbox.ts'
import { motionEvent, silentLogger } from '../../integration/support/nats.ts'
import { settle, VirtualClock } from '../virtual-clock.ts'
import { MemoryEventLog } from './memory-event-log.ts'

/** A bus whose server is played by the test: each publication waits for its verdict, or gets the one that is set. */
class ScriptedBus implements Pick<EventBus, 'state' | 'onState' | 'publishEvent' | 'publishStored'> {
  state: BusState = 'connected'
  verdict: (event: CloudEvent) => Promise<{ duplicate: boolean }> = async () => ({ duplicate: false })
  attempts: string[] = []
  letters: BusMessage[] = []
  letterVerdict: (letter: BusMessage) => Promise<{ duplicate: boolean }> = async () => ({ duplicate: false })
  #listeners = new Set<(state: BusState) => void>()

  onState(listener: (state: BusState) => void) {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
  become(state: BusState) {
    this.state = state
    for (const listener of this.#listeners) listener(state)
  }
  publishEvent(_subject: string, event: CloudEvent) {
    this.attempts.push(event.id)
    return this.verdict(event)
  }
  async publishStored(letter: BusMessage) {
    const verdict = await this.letterVerdict(letter)
    this.letters.push(letter)
    return verdict
  }
}

const unavailable = async () => {
  throw new GrabberError('BUS_UNAVAILABLE', 'away')
}

const content = ({ data }: BusMessage): unknown => JSON.parse(Buffer.from(data).toString())

function setUp(log: EventLog = new MemoryEventLog()) {
  const bus = new ScriptedBus()
  const clock = new VirtualClock(0)
  const failures: unknown[] = []
  const onFailure = (error: unknown) => failures.push(error)
  const counted: string[] = []
  const dead = new DeadLetters({ bus, logger: silentLogger, onLetter: (reason) => counted.push(reason) })
  const outbox = new Outbox({ node: 'edge', log, bus, dead, clock, onFailure })
  const id = (n: number | string) => motionEvent(n).id
  const submit = (count: number) => {
    for (let n = 0; n < count; n++) outbox.submit(motionEvent(n))
  }
  return { bus, clock, log, outbox, failures, counted, id, submit }
}

describe('Outbox', () => {
  it('publishes in order under the event subject, and tells of each', async () => {
    const { bus, outbox, submit, id } = setUp()
    const published: string[] = []
    const stop = outbox.onPublished(({ subject, event }) => published.push(`${subject} ${event.id}`))
    submit(3)
    expect(bus.attempts).toEqual([])
    expect(await outbox.flush(1)).toBe(true)
    expect(bus.attempts).toEqual([id(0), id(1), id(2)])
    expect(published).toEqual([0, 1, 2].map((n) => `grabber.edge.events.lobby.motion ${id(n)}`))
    stop()
    outbox.submit(motionEvent('x'))
    expect(await outbox.flush(1)).toBe(true)
    expect(published).toHaveLength(3)
  })

  it('sends one event first, then more at once, and never more than 32', async () => {
    const { bus, submit, outbox } = setUp()
    let underWay = 0
    const windows: number[] = []
    bus.verdict = async () => {
      underWay++
      await settle()
      if (underWay > 0) windows.push(underWay)
      underWay = 0
      return { duplicate: false }
    }
    submit(150)
    while (!(await outbox.flush(0))) await settle()
    expect(windows).toEqual([1, 2, 4, 8, 16, 32, 32, 32, 23])
  })

  it('waits with longer and longer pauses while publications fail, and loses nothing', async () => {
    const { bus, clock, submit, outbox, log, id } = setUp()
    bus.verdict = unavailable
    submit(3)
    await settle()
    const attemptsAfter: number[] = []
    for (const waitMs of [0, 99, 1, 199, 1, 400, 800, 1600, 3200, 5000, 4999, 1]) {
      await clock.advance(waitMs)
      attemptsAfter.push(bus.attempts.length)
    }
    expect(attemptsAfter).toEqual([1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 8, 9])
    expect(new Set(bus.attempts)).toEqual(new Set([id(0)]))
    expect(log.depth()).toBe(3)
    bus.verdict = async () => ({ duplicate: false })
    await clock.advance(5000)
    expect(outbox.depth).toBe(0)
  })

  it('tries nothing while the bus is away, and starts when it is back', async () => {
    const { bus, submit, outbox, clock } = setUp()
    bus.become('offline')
    submit(2)
    await clock.advance(60_000)
    expect(bus.attempts).toEqual([])
    bus.become('connected')
    await settle()
    expect(outbox.depth).toBe(0)
  })

  it('starts again from the first that was not taken when a window breaks', async () => {
    const { bus, submit, clock, id } = setUp()
    submit(7)
    let broken = false
    bus.verdict = async (event) => {
      broken ||= event.id === id(4)
      if (broken) throw new GrabberError('BUS_UNAVAILABLE', 'away')
      return { duplicate: false }
    }
    await settle()
    expect(bus.attempts).toEqual([0, 1, 2, 3, 4, 5, 6].map(id))
    bus.verdict = async () => ({ duplicate: false })
    await clock.advance(100)
    expect(bus.attempts.slice(7)).toEqual([4, 5, 6].map(id))
  })

  it('gives an event that is refused three times to the dead letters; the others pass', async () => {
    const { bus, submit, outbox, id, counted } = setUp()
    bus.verdict = async (event) => {
      if (event.id === id(1)) throw new GrabberError('BUS_REFUSED', 'too odd')
      return { duplicate: false }
    }
    submit(5)
    expect(await outbox.flush(1)).toBe(true)
    expect(bus.attempts.filter((one) => one === id(1))).toHaveLength(3)
    expect(bus.attempts.filter((one) => one !== id(1))).toEqual([0, 2, 3, 4].map(id))
    expect(bus.letters.map(({ subject, headers }) => [subject, headers['Nats-Msg-Id']])).toEqual([
      ['grabber.edge.dead.lobby', `dead-${id(1)}`],
    ])
    expect(content(bus.letters[0]!)).toEqual({
      reason: { code: 'BUS_REFUSED', message: 'too odd', remedy: expect.any(String) },
      subject: 'grabber.edge.events.lobby.motion',
      event: motionEvent(1),
    })
    expect(counted).toEqual(['BUS_REFUSED'])
  })

  it('keeps a refused event until its dead letter is stored, however often the bus goes away', async () => {
    const { bus, outbox, clock, log, counted, submit, id } = setUp()
    const refused = async () => {
      throw new GrabberError('BUS_REFUSED', 'too odd')
    }
    bus.verdict = refused
    bus.letterVerdict = unavailable
    submit(1)
    await settle()
    for (let n = 0; n < 5; n++) await clock.advance(10_000)
    expect(log.depth()).toBe(1)
    expect(bus.letters).toEqual([])
    bus.letterVerdict = async () => ({ duplicate: false })
    await clock.advance(10_000)
    expect(outbox.depth).toBe(0)
    expect(bus.letters.map(({ headers }) => headers['Nats-Msg-Id'])).toEqual([`dead-${id(0)}`])
    expect(counted).toEqual(['BUS_REFUSED'])
  })

  it('leaves the data out of a dead letter that is refused itself', async () => {
    const { bus, outbox, counted } = setUp()
    const refuseLarge = async ({ data }: BusMessage) => {
      if (data.length > 10_000) throw new GrabberError('BUS_REFUSED', 'too large')
      return { duplicate: false }
    }
    bus.verdict = async () => {
      throw new GrabberError('BUS_REFUSED', 'too large')
    }
    bus.letterVerdict = refuseLarge
    const event = motionEvent('large')
    Object.assign(event.data, { padding: 'x'.repeat(100_000) })
    outbox.submit(event)
    expect(await outbox.flush(1)).toBe(true)
    expect(bus.letters).toHaveLength(1)
    expect(content(bus.letters[0]!)).toMatchObject({ event: { id: event.id, data: null } })
    expect(counted).toEqual(['BUS_REFUSED'])
  })

  it('does not hold up the others when no letter is taken either, and counts that apart', async () => {
    const { bus, outbox, counted, submit, id } = setUp()
    const refused = async () => {
      throw new GrabberError('BUS_REFUSED', 'no rights')
    }
    bus.verdict = (event) => (event.id === id(0) ? refused() : Promise.resolve({ duplicate: false }))
    bus.letterVerdict = refused
    submit(3)
    expect(await outbox.flush(1)).toBe(true)
    expect(counted).toEqual(['LETTER_REFUSED'])
  })

  it('stops after what is under way, and leaves the rest in the log', async () => {
    const { bus, submit, outbox, log, clock } = setUp()
    const verdict = Promise.withResolvers<{ duplicate: boolean }>()
    bus.verdict = () => verdict.promise
    submit(3)
    await settle()
    const closing = outbox.close()
    verdict.resolve({ duplicate: false })
    await closing
    await clock.advance(10_000)
    expect(bus.attempts).toHaveLength(1)
    expect(log.depth()).toBe(2)
    await outbox.close()
  })

  it('tells its owner when the store fails, and stops', async () => {
    const log = new MemoryEventLog()
    log.markPublished = () => {
      throw new GrabberError('STO_UNUSABLE', 'the disk is full')
    }
    const { bus, submit, failures, clock } = setUp(log)
    submit(2)
    await clock.advance(60_000)
    expect(failures).toMatchObject([{ code: 'STO_UNUSABLE' }])
    expect(bus.attempts).toHaveLength(1)
  })
})
