/**
 * What a JetStream stream holds, and how it is read. Types only; runs in the daemon and in commands.
 */
import type { BusMessage } from '../../core/ports.ts'

export interface StoredMessage extends BusMessage {
  /** Position in its stream, increasing, with gaps. */
  seq: number
  storedAtMs: number
}

export interface StreamRange {
  first: number
  last: number
  messages: number
}

/** Where a cursor starts: at a position, or at what was stored since a moment (ms since the Unix epoch). */
export type CursorStart = { seq: number } | { sinceMs: number }

export interface StreamCursor {
  /** Messages that were there when it was opened. */
  readonly pending: number
  /** The next `limit` messages; waits for those that are to come. */
  read(limit: number): AsyncGenerator<StoredMessage>
  close(): Promise<void>
}
