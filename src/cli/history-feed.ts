/**
 * What a daemon's own subscribers see, from its history: for a daemon whose bus is inside it. Runs in commands. Reads the
 * database beside its owner, and must never write it.
 */
import { type Clock, delay } from '../../core/clock.ts'
import type { BusMessage, StoredEvent } from '../../core/ports.ts'
import { toMessage } from '../bus/event-message.ts'
import { subjectMatches } from '../bus/subjects.ts'
import { EventHistory } from '../store/event-history.ts'

/** A look costs one statement on an index. */
const POLL_MS = 250
const PAGE = 500

export interface HistoryFeedOptions {
  /** The database. */
  path: string
  subject: string
  /** By the time in the events: the history does not know when it got them. */
  start: { last: number } | { sinceMs: number }
  clock: Clock
  signal: AbortSignal
  onMessage(message: BusMessage): void
}

/** Until `signal`. STO_*. */
export async function followHistory(options: HistoryFeedOptions): Promise<void> {
  const { path, subject, start, clock, signal, onMessage } = options
  using history = EventHistory.open(path)
  const wanted = (stored: StoredEvent) => subjectMatches(subject, stored.subject)
  const give = ({ subject: full, event }: StoredEvent) => onMessage(toMessage(full, event))
  let position = history.before(Number.MAX_SAFE_INTEGER, 1)[0]?.position ?? 0
  for (const stored of past(history, position, start, wanted)) give(stored)
  while (!signal.aborted) {
    const page = history.after(position, PAGE)
    position = page.at(-1)?.position ?? position
    for (const stored of page.filter(wanted)) give(stored)
    if (page.length < PAGE) await delay(clock, POLL_MS, signal).catch(() => undefined)
  }
}

/** Oldest first. */
function past(
  history: EventHistory,
  newest: number,
  start: HistoryFeedOptions['start'],
  wanted: (stored: StoredEvent) => boolean,
): StoredEvent[] {
  const limit = 'last' in start ? start.last : Number.POSITIVE_INFINITY
  const sinceMs = 'sinceMs' in start ? start.sinceMs : Number.NEGATIVE_INFINITY
  const found: StoredEvent[] = []
  for (let position = newest + 1; found.length < limit; ) {
    const page = history.before(position, PAGE)
    if (page.length === 0) break
    position = page.at(-1)!.position
    found.push(...page.filter((stored) => wanted(stored) && Date.parse(stored.event.time) >= sinceMs))
  }
  return found.slice(0, limit).reverse()
}
