/**
 * A dead letter: what could not be processed, and why. Its form on the stream GRABBER_DEAD, and back. Pure; no I/O.
 * Described for subscribers in docs/events/README.md.
 */
import { z } from 'zod'
import type { CodedError } from '../../core/errors.ts'
import { type CloudEvent, type EventType, eventSchemas } from '../../core/event.ts'
import type { BusMessage } from '../../core/ports.ts'

interface Undeliverable {
  /** A second letter of the same id is not stored again within the stream's window. */
  id: string
  node: string
  /** Camera it belongs to; NODE_CAMERA for what belongs to none. */
  camera: string
  reason: CodedError
}

/** An event that the server refused, or a message that came in and cannot be acted on. */
export type DeadLetter = Undeliverable &
  ({ subject: string; event: CloudEvent } | { subject: string; message: Pick<BusMessage, 'headers' | 'data'> })

const reason = z.object({ code: z.string(), message: z.string(), remedy: z.string() })
const event = z.object({
  specversion: z.literal('1.0'),
  id: z.string(),
  source: z.string(),
  type: z.enum(Object.keys(eventSchemas) as EventType[]),
  subject: z.string(),
  time: z.string(),
  datacontenttype: z.literal('application/json'),
  dataschema: z.string(),
  data: z.record(z.string(), z.unknown()).nullable(),
})
const letterSchema = z.union([
  z.object({ reason, subject: z.string(), event }),
  z.object({
    reason,
    subject: z.string(),
    message: z.object({ headers: z.record(z.string(), z.string()), dataBase64: z.string().nullable() }),
  }),
])

/** What a letter says; its content is null where it was too large for a letter as well. */
export type ReadLetter = z.infer<typeof letterSchema>

/** The message for the stream; without the content, which may be what is refused, when `whole` is false. */
export function letterMessage(letter: DeadLetter, whole: boolean): BusMessage {
  const { id, node, camera, reason, subject } = letter
  const content =
    'event' in letter
      ? { event: whole ? letter.event : { ...letter.event, data: null } }
      : { message: { headers: letter.message.headers, dataBase64: whole ? base64(letter.message.data) : null } }
  return {
    subject: `grabber.${node}.dead.${camera}`,
    headers: { 'content-type': 'application/json', 'Nats-Msg-Id': `dead-${id}` },
    data: Buffer.from(JSON.stringify({ reason, subject, ...content })),
  }
}

/** `undefined` when it is no letter. */
export function readLetter(data: Uint8Array): ReadLetter | undefined {
  try {
    const parsed = letterSchema.safeParse(JSON.parse(Buffer.from(data).toString()))
    return parsed.success ? parsed.data : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function base64(data: Uint8Array): string {
  return Buffer.from(data).toString('base64')
}
