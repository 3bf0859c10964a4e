import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { boxesSubject, eventId, eventSchemas, eventSubject, toCloudEvent } from '../../../core/event.ts'

const draft = {
  type: 'motion' as const,
  node: 'edge-1',
  camera: 'lobby',
  key: 'abc/12/start',
  timeMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  data: { phase: 'start' as const, areaRatio: 0.25, frame: { seq: 12, ptsMs: 480, width: 640, height: 360 } },
}

test('an id is what it always was: subscribers and stores remember it', () => {
  // printf 'edge-1\nlobby\nmotion\nabc/12/start' | sha256sum | cut -c1-32
  expect(eventId('edge-1', 'lobby', 'motion', 'abc/12/start')).toBe('7905b3e5134f4512b99d698b4f885ed2')
})

test('an id tells apart node, camera, type and key, and takes no two of them for another', () => {
  const ids = [
    eventId('n', 'c', 'motion', 'k'),
    eventId('m', 'c', 'motion', 'k'),
    eventId('n', 'd', 'motion', 'k'),
    eventId('n', 'c', 'keyframe', 'k'),
    eventId('n', 'c', 'motion', 'l'),
    eventId('nc', '', 'motion', 'k'),
  ]
  expect(new Set(ids).size).toBe(ids.length)
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/)
})

test('the CloudEvent is the same bytes each time, and its id does not depend on the time', () => {
  const event = toCloudEvent(draft)
  expect(JSON.stringify(event)).toBe(
    `{"specversion":"1.0","id":"${event.id}","source":"/grabber/edge-1/lobby","type":"motion","subject":"lobby",` +
      '"time":"2026-01-02T03:04:05.678Z","datacontenttype":"application/json","dataschema":"urn:grabber:schema:motion:1",' +
      '"data":{"phase":"start","areaRatio":0.25,"frame":{"seq":12,"ptsMs":480,"width":640,"height":360}}}',
  )
  expect(toCloudEvent({ ...draft, timeMs: 0 }).id).toBe(event.id)
})

test('subjects follow the contract', () => {
  expect(eventSubject('edge-1', 'lobby', 'face.track')).toBe('grabber.edge-1.events.lobby.face.track')
  expect(boxesSubject('edge-1', 'lobby')).toBe('grabber.edge-1.live.lobby.boxes')
})

test('schemas accept their data and refuse unknown keys and ratios beyond 1', () => {
  const { motion } = eventSchemas
  expect(motion.parse(draft.data)).toEqual(draft.data)
  expect(motion.safeParse({ ...draft.data, extra: 1 }).success).toBe(false)
  expect(motion.safeParse({ ...draft.data, areaRatio: 1.01 }).success).toBe(false)
})

test('the hash is SHA-256', () => {
  const digest = createHash('sha256').update('n\nc\nmotion\nk').digest('hex')
  expect(eventId('n', 'c', 'motion', 'k')).toBe(digest.slice(0, 32))
})
