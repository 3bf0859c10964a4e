/**
 * The event history read beside its owner: for commands that show events of a daemon whose bus is inside it, and for events
 * whose dead letter was too large. Runs in commands. Must never write.
 */
import type { CloudEvent } from '../../core/event.ts'
import type { StoredEvent } from '../../core/ports.ts'
import { type EventRow, idBytes, toStored } from './event-row.ts'
import { openReadOnly, type Query, type Store } from './sqlite.ts'

export class EventHistory implements Disposable {
  readonly #store: Store
  readonly #after: Query<EventRow>
  readonly #before: Query<EventRow>
  readonly #byId: Query<EventRow>

  private constructor(store: Store) {
    this.#store = store
    const columns = 'SELECT position, subject, body FROM events'
    this.#after = store.prepare(`${columns} WHERE position > ? ORDER BY position LIMIT ?`)
    this.#before = store.prepare(`${columns} WHERE position < ? ORDER BY position DESC LIMIT ?`)
    this.#byId = store.prepare(`${columns} WHERE id = ?`)
  }

  /** STO_UNUSABLE when there is no database, STO_VERSION. */
  static open(path: string): EventHistory {
    return new EventHistory(openReadOnly(path))
  }

  /** Oldest first. */
  after(position: number, limit: number): StoredEvent[] {
    return this.#after.all(position, limit).map(toStored)
  }

  /** Newest first. */
  before(position: number, limit: number): StoredEvent[] {
    return this.#before.all(position, limit).map(toStored)
  }

  find(id: string): CloudEvent | undefined {
    const row = this.#byId.get(idBytes(id))
    return row && toStored(row).event
  }

  [Symbol.dispose](): void {
    this.#store.close()
  }
}
