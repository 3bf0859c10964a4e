import { describe, expect, it } from 'vitest'
import { type EventData, type EventType, toCloudEvent } from '../../../core/event.ts'
import { toMessage } from '../../../src/bus/event-message.ts'
import { humanEventLine, jsonLine } from '../../../src/cli/event-line.ts'

const frame = { seq: 1, ptsMs: 40, width: 640, height: 360 }
const event = <T extends EventType>(type: T, data: EventData<T>) =>
  toCloudEvent({ type, node: 'edge', camera: 'lobby', key: 'k', timeMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678), data })
const messageOf = <T extends EventType>(type: T, data: EventData<T>) => toMessage('grabber.x', event(type, data))
const live = (text: string) => ({ subject: 'grabber.edge.live.lobby.boxes', headers: {}, data: Buffer.from(text) })

const track: EventData<'face.track'> = {
  phase: 'update',
  trackId: 't7',
  revision: 2,
  box: { x: 0, y: 0, width: 0.1, height: 0.1 },
  frame,
  score: 0.9,
  quality: 0.8,
  identity: { status: 'confirmed', subject: 'ada', name: 'Ada', similarity: 0.834 },
  liveness: { verdict: 'unchecked' },
  firstSeen: 'x',
  lastSeen: 'y',
}

describe('an event as a line', () => {
  it('is its structured form for programs', () => {
    const motion = { phase: 'start', areaRatio: 0.25, frame } as const
    expect(JSON.parse(jsonLine(messageOf('motion', motion)))).toEqual(event('motion', motion))
    expect(jsonLine(live('{"boxes":[1]}'))).toBe('{"subject":"grabber.edge.live.lobby.boxes","data":{"boxes":[1]}}\n')
    expect(jsonLine(live('no json'))).toBe('{"subject":"grabber.edge.live.lobby.boxes","data":"no json"}\n')
  })

  it('is a few words for a person', () => {
    const human = <T extends EventType>(type: T, data: EventData<T>) => humanEventLine(messageOf(type, data))
    const start = '2026-01-02 03:04:05.678  lobby'
    expect(human('motion', { phase: 'start', areaRatio: 0.123, frame })).toBe(`${start}  motion  start 12.3 %\n`)
    expect(human('face.track', track)).toBe(`${start}  face.track  update t7/2 confirmed Ada 0.83\n`)
    const state = { state: 'backing_off', previous: 'live', reason: 'gone', attempt: 1, lastFrameAgeMs: 3 } as const
    expect(human('camera.state', { ...state, nextRetryMs: 1500 })).toContain('live → backing_off: gone, again in 1.5 s')
    expect(human('node.health', { state: 'degraded', reasons: ['bus: away'] })).toContain('degraded: bus: away\n')
  })

  it('lets nothing that comes from outside move the cursor or end the line', () => {
    const name = 'Ada\x1b[2J\n\x07\u202e'
    const line = humanEventLine(messageOf('face.track', { ...track, identity: { ...track.identity, name } }))
    expect(line).toMatch(/^[^\p{Cc}\p{Cf}]+\n$/u)
    expect(humanEventLine(live('{"a":'))).toContain('grabber.edge.live.lobby.boxes')
  })

  it('shows what is broken, or of a newer version, as it is', () => {
    const message = { ...messageOf('face.track', track), data: Buffer.from('{broken') }
    expect(humanEventLine(message)).toBe('grabber.x  "{broken"\n')
    const newer = messageOf('face.track', track)
    newer.headers['ce-type'] = 'gesture'
    expect(humanEventLine(newer)).toContain('gesture  {"phase":"update"')
  })
})
