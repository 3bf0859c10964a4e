import { describe, expect, it } from 'vitest'
import { GrabberError } from '../../../core/errors.ts'
import type { FrameRecord } from '../../../core/keyframe.ts'
import { EVENT_CREDITS, type FromSession, type ToSession } from '../../../core/wire/control.ts'
import type { GraphEvent } from '../../../streams/graph-item.ts'
import { SessionLink } from '../../../streams/session-link.ts'
import { settle, VirtualClock } from '../virtual-clock.ts'

const INCARNATION = 3
const probe = Float32Array.of(1, 0)

function setUp() {
  const clock = new VirtualClock()
  const posted: FromSession[] = []
  const link = new SessionLink(INCARNATION, clock, (message) => posted.push(message))
  const numbers = () => posted.flatMap((message) => (message.type === 'event' ? [message.n] : []))
  return { clock, posted, link, numbers }
}

const event = (key: string): GraphEvent<'motion'> => ({
  type: 'motion',
  key,
  timeMs: 0,
  ptsMs: 0,
  data: { phase: 'start', areaRatio: 0, frame: { seq: 0, ptsMs: 0, width: 1, height: 1 } },
})
const ack = (n: number, incarnation = INCARNATION): ToSession => ({ type: 'ack', incarnation, n })
const upTo = (n: number) => Array.from({ length: n }, (_, index) => index + 1)

describe('SessionLink, events', () => {
  it('numbers events without gaps and stamps every message with its incarnation', async () => {
    const { link, posted } = setUp()
    await link.event(event('a'))
    link.send({ type: 'boxes', ptsMs: 0, seq: 0, boxes: [] })
    await link.event(event('b'))
    expect(posted).toMatchObject([
      { type: 'event', n: 1, key: 'a', incarnation: 3 },
      { type: 'boxes', incarnation: 3 },
      { type: 'event', n: 2, key: 'b', incarnation: 3 },
    ])
  })

  it('sends records in batches, a chosen one at once, numbered and paid for as events are', async () => {
    const { link, posted } = setUp()
    const record = (seq: number, chosen = false) => ({ seq, chosen }) as FrameRecord
    await link.select([record(1), record(2)])
    expect(posted).toEqual([])
    await link.select([record(3, true)])
    await link.event(event('a'))
    await link.select([record(4)])
    await link.flushRecords()
    await link.flushRecords()
    const said = posted.map((message) => ('records' in message ? message.records.map(({ seq }) => seq) : message.type))
    expect(said).toEqual([[1, 2, 3], 'event', [4]])
    expect(posted.map((message) => 'n' in message && message.n)).toEqual([1, 2, 3])
    for (let n = 4; n <= EVENT_CREDITS; n++) await link.event(event(String(n)))
    const waiting = link.select([record(5, true)])
    await settle()
    expect(posted.at(-1)).toMatchObject({ type: 'event', n: EVENT_CREDITS })
    link.receive(ack(1))
    await waiting
    expect(posted.at(-1)).toMatchObject({ type: 'selection', n: EVENT_CREDITS + 1 })
  })

  it('has 256 events out at most, and goes on as they are acknowledged', async () => {
    const { link, numbers } = setUp()
    const sending = (async () => {
      for (let n = 0; n < EVENT_CREDITS + 10; n++) await link.event(event(String(n)))
    })()
    await settle()
    expect(numbers()).toEqual(upTo(256))
    link.receive(ack(4))
    await settle()
    expect(numbers()).toEqual(upTo(260))
    link.receive(ack(260))
    await sending
    expect(numbers()).toEqual(upTo(266))
    // Old news takes nothing back.
    link.receive(ack(2))
    await link.event(event('one more'))
    expect(numbers()).toHaveLength(267)
  })

  it('takes no credit from another incarnation', async () => {
    const { link, numbers } = setUp()
    for (let n = 0; n < EVENT_CREDITS; n++) await link.event(event(String(n)))
    void link.event(event('late'))
    link.receive(ack(256, INCARNATION - 1))
    await settle()
    expect(numbers()).toHaveLength(256)
    link.receive(ack(1))
    await settle()
    expect(numbers()).toHaveLength(257)
  })
})

describe('SessionLink, questions', () => {
  it('gives each question its own answer, in any order', async () => {
    const { link, posted, clock } = setUp()
    const first = link.match(probe, 5, 1000)
    const second = link.match(probe, 5, 1000)
    expect(posted).toMatchObject([
      { type: 'match', requestId: 1, k: 5, embedding: probe },
      { type: 'match', requestId: 2 },
    ])
    link.receive({ type: 'match.answer', incarnation: 3, requestId: 2, hits: [{ subject: 'b', similarity: 0.5 }] })
    link.receive({ type: 'match.answer', incarnation: 3, requestId: 1, hits: [] })
    expect(await first).toEqual([])
    expect(await second).toEqual([{ subject: 'b', similarity: 0.5 }])
    expect(clock.pendingTimers).toBe(0)
  })

  it('asks who a person without a name is, beside other questions', async () => {
    const { link, posted, clock } = setUp()
    const sighting = { trackId: 't', template: probe, startMs: 0, endMs: 1, taken: [] }
    const hits = link.match(probe, 5, 1000)
    const [who, nobody, refused] = [1, 2, 3].map(() => link.remember(sighting, 1000))
    expect(posted[1]).toEqual({ type: 'remember', incarnation: 3, requestId: 2, sighting })
    const answer = (requestId: number, anonymous: string | null) =>
      link.receive({ type: 'remember.answer', incarnation: 3, requestId, anonymous })
    answer(2, 'anon-a')
    answer(3, null)
    const error = new GrabberError('ACT_OVERFLOW', 'full').toJSON()
    link.receive({ type: 'remember.failed', incarnation: 3, requestId: 4, error })
    link.receive({ type: 'match.answer', incarnation: 3, requestId: 1, hits: [] })
    expect([await who, await nobody, await hits]).toEqual(['anon-a', null, []])
    await expect(refused).rejects.toMatchObject({ code: 'ACT_OVERFLOW' })
    expect(clock.pendingTimers).toBe(0)
  })

  it('rejects with what the gallery says', async () => {
    const { link, clock } = setUp()
    const asked = link.match(probe, 5, 1000)
    const error = new GrabberError('GAL_MODEL_MISMATCH', 'another model').toJSON()
    link.receive({ type: 'match.failed', incarnation: 3, requestId: 1, error })
    await expect(asked).rejects.toMatchObject({ code: 'GAL_MODEL_MISMATCH', message: 'another model' })
    expect(clock.pendingTimers).toBe(0)
  })

  it('does not wait beyond the deadline; a late answer and one of another incarnation are ignored', async () => {
    const { link, clock } = setUp()
    let outcome: unknown = 'open'
    link.match(probe, 5, 1000).then(
      (hits) => {
        outcome = hits
      },
      (error: GrabberError) => {
        outcome = error.code
      },
    )
    link.receive({ type: 'match.answer', incarnation: 2, requestId: 1, hits: [] })
    await clock.advance(999)
    expect(outcome).toBe('open')
    await clock.advance(1)
    expect(outcome).toBe('ACT_DEADLINE')
    link.receive({ type: 'match.answer', incarnation: 3, requestId: 1, hits: [] })
    await settle()
    expect(outcome).toBe('ACT_DEADLINE')
  })
})
