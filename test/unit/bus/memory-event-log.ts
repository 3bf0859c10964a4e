/**
 * The event log in memory, for tests of what stands in front of it. It passes the same contract tests as the real one
 * (test/contract/event-log).
 */
import type { CloudEvent } from '../../../core/event.ts'
import type { StoredEvent } from '../../../core/ports.ts'
import { PRUNE_BATCH, type PrunableEventLog } from '../../../src/store/events.ts'

export class MemoryEventLog implements PrunableEventLog {
  readonly #ids = new Set<string>()
  #events: StoredEvent[] = []
  readonly #waiting = new Map<number, StoredEvent>()
  #position = 0

  append(subject: string, event: CloudEvent): boolean {
    if (this.#ids.has(event.id)) return false
    this.#ids.add(event.id)
    // A copy, as a database would make: a caller that goes on changing its object does not change history.
    const stored = { position: ++this.#position, subject, event: structuredClone(event) }
    this.#events.push(stored)
    this.#waiting.set(stored.position, stored)
    return true
  }

  unpublished(limit: number): StoredEvent[] {
    return this.#waiting.values().take(limit).toArray()
  }

  markPublished(position: number): void {
    this.#waiting.delete(position)
  }

  depth(): number {
    return this.#waiting.size
  }

  recent(limit: number, camera?: string): StoredEvent[] {
    const events = this.#events.filter(({ event }) => camera === undefined || event.subject === camera)
    return events.slice(Math.max(0, events.length - limit)).reverse()
  }

  prune(maxRows: number): number {
    const surplus = Math.min(this.#events.length - maxRows, PRUNE_BATCH)
    let removed = 0
    while (removed < surplus && !this.#waiting.has(this.#events[removed]!.position)) removed++
    this.#events = this.#events.slice(removed)
    return removed
  }
}
