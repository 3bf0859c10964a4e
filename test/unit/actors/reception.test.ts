import { expect, test } from 'vitest'
import { Reception } from '../../../actors/reception.ts'
import { emptyLedger } from '../../../core/ledger.ts'
import type { SessionProgress } from '../../../core/wire/control.ts'
import type { StreamInfo } from '../../../core/wire/stream-info.ts'
import { VirtualClock } from '../virtual-clock.ts'

const STALL_MS = 1000
/** The watch gives a late event loop this long before it believes in silence. */
const GRACE_MS = 50
const stream = { codec: 'h264' } as StreamInfo

function progress(received: number): SessionProgress {
  const ledger = { ...emptyLedger(), captured: received, analysed: received }
  const figures = { leases: 0, lastPtsMs: null, rssBytes: 7, faces: 0, tracks: 0, samples: {} }
  return { ledger, received, gate: 'active', driftPpm: 12, damaged: 2, ...figures }
}

function reception() {
  const clock = new VirtualClock()
  let silences = 0
  const heard = new Reception(clock, () => silences++)
  return { clock, heard, silences: () => silences }
}

test('a silence is noticed once, on the own clock, and only while there is a connection', async () => {
  const { clock, heard, silences } = reception()
  heard.begin()
  await clock.advance(60_000)
  expect(silences()).toBe(0)
  heard.opened(stream, STALL_MS)
  await clock.advance(STALL_MS)
  expect(silences()).toBe(0)
  await clock.advance(GRACE_MS)
  await clock.advance(60_000)
  expect(silences()).toBe(1)
  heard.take(progress(1))
  heard.closed()
  await clock.advance(60_000)
  expect(silences()).toBe(1)
  expect(clock.pendingTimers).toBe(0)
})

test('progress without new pictures is silence as well; a picture ends it, and the next is noticed again', async () => {
  const { clock, heard, silences } = reception()
  heard.opened(stream, STALL_MS)
  expect(heard.take(progress(3))).toBe(true)
  for (let at = 0; at < 4; at++) {
    await clock.advance(STALL_MS / 2)
    expect(heard.take(progress(3))).toBe(false)
  }
  expect(silences()).toBe(1)
  expect(heard.lastFrameAgeMs).toBe(2 * STALL_MS)
  expect(heard.take(progress(4))).toBe(true)
  expect(heard.lastFrameAgeMs).toBe(0)
  await clock.advance(STALL_MS + GRACE_MS)
  expect(silences()).toBe(2)
})

test('a new incarnation counts pictures from zero, and its frames are added to those before', () => {
  const { heard } = reception()
  heard.begin()
  heard.opened(stream, STALL_MS)
  heard.take(progress(5))
  heard.looks('black')
  expect(heard.report()).toMatchObject({ stream, gate: 'active', driftPpm: 12, damaged: 2, leases: 0, rssBytes: 7 })
  heard.over({ ...progress(5).ledger, analysed: 4, dropped: { 'host.died': 1 } })
  expect(heard.report()).toMatchObject({ gate: null, driftPpm: null, damaged: null, leases: null, rssBytes: null })
  heard.begin()
  heard.opened(stream, STALL_MS)
  expect(heard.picture).toBe('good')
  expect(heard.take(progress(2))).toBe(true)
  expect(heard.ledger).toMatchObject({ captured: 7, analysed: 6, dropped: { 'host.died': 1 } })
})
