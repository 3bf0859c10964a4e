/**
 * One event as a row of the store, and back. Pure; runs in the daemon and in commands.
 */
import type { CloudEvent } from '../../core/event.ts'
import type { StoredEvent } from '../../core/ports.ts'

export interface EventRow {
  position: number
  subject: string
  body: string
}

/** Ids are 128-bit hex (core/event): half the bytes in the file. Any other text is kept as its UTF-8. */
export function idBytes(id: string): Uint8Array {
  return /^[0-9a-f]{32}$/.test(id) ? Buffer.from(id, 'hex') : Buffer.from(`:${id}`)
}

export function toStored(row: EventRow): StoredEvent {
  return { position: row.position, subject: row.subject, event: JSON.parse(row.body) as CloudEvent }
}
