/**
 * An event as one line: JSON for programs, a few words for a person. Pure text.
 */

import type { CloudEvent, EventData, EventType } from '../../core/event.ts'
import type { BusMessage } from '../../core/ports.ts'
import { fromMessage } from '../bus/event-message.ts'

/** The CloudEvent in structured mode; a message that is none as `{subject, data}`. */
export function jsonLine(message: BusMessage): string {
  const event = eventOf(message)
  const value = event ?? { subject: message.subject, data: dataOf(message) }
  return `${JSON.stringify(value)}\n`
}

/** `2026-01-02 03:04:05.678  lobby  face.track  new t3 unknown`. Names come from outside: nothing in them moves the cursor. */
export function humanEventLine(message: BusMessage): string {
  const event = eventOf(message)
  const words = event ? describe(event) : [message.subject, short(dataOf(message))]
  return `${words.join('  ').replaceAll(/[\p{Cc}\p{Cf}]/gu, '·')}\n`
}

const MAX_DATA_CHARACTERS = 160

function describe({ time, subject, type, data }: CloudEvent): string[] {
  const when = `${time.slice(0, 10)} ${time.slice(11, 23)}`
  const details = Object.hasOwn(wording, type) ? (wording[type] as (data: EventData) => string)(data) : short(data)
  return [when, subject, type, details]
}

const wording: { [T in EventType]: (data: EventData<T>) => string } = {
  'camera.state': ({ state, previous, reason, nextRetryMs }) =>
    `${previous ?? '–'} → ${state}: ${reason}${nextRetryMs === null ? '' : `, again in ${(nextRetryMs / 1000).toFixed(1)} s`}`,
  motion: ({ phase, areaRatio }) => `${phase} ${(areaRatio * 100).toFixed(1)} %`,
  'face.track': ({ phase, trackId, revision, identity, liveness }) => {
    const { status, subject, name, anonymous, similarity } = identity
    const looks = liveness.verdict === 'unchecked' ? undefined : liveness.verdict
    const who = [name ?? subject ?? anonymous, similarity?.toFixed(2), looks].filter((word) => word !== undefined)
    return [phase, `${trackId}/${revision}`, status, ...who].join(' ')
  },
  keyframe: ({ score, reason, file }) => `${score.toFixed(2)} ${reason} ${file}`,
  'engine.state': ({ device, state, reason }) => `${device} ${state}: ${reason}`,
  'node.health': ({ state, reasons }) => [state, ...reasons].join(': '),
}

function eventOf(message: BusMessage): CloudEvent | undefined {
  try {
    return fromMessage(message)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Live messages are JSON; anything else as its text. */
function dataOf({ data }: BusMessage): unknown {
  const text = Buffer.from(data).toString()
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return text
    throw error
  }
}

function short(data: unknown): string {
  const text = JSON.stringify(data)
  return text.length > MAX_DATA_CHARACTERS ? `${text.slice(0, MAX_DATA_CHARACTERS)}…` : text
}
