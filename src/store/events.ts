/**
 * Event history and outbox in SQLite: each event is stored once, by id, and published later, in order.
 * Runs in the daemon. Must never forget an id or drop an event that is not published.
 */
import type { CloudEvent } from '../../core/event.ts'
import type { EventLog, StoredEvent } from '../../core/ports.ts'
import { type EventRow, idBytes, toStored } from './event-row.ts'
import type { Query, Store } from './sqlite.ts'

/** Rows that one call of `prune` removes at most: 0.5 ms, and a slow disk's sync now and then. */
export const PRUNE_BATCH = 16

/** An event log whose history is bounded from outside. */
export interface PrunableEventLog extends EventLog {
  /**
   * Removes the oldest published events while the history has more than `maxRows`; their ids stay known. Removes a bounded
   * number a call and returns it: call again, on a later turn of the loop, until 0. Events that wait are never removed,
   * nor are those behind them, so the history of a long outage outgrows `maxRows`.
   */
  prune(maxRows: number): number
}

/**
 * Ids are kept for ever, for de-duplication: 24 bytes in the file (docs/decisions.md).
 * Throws STO_UNUSABLE.
 */
export class SqliteEventLog implements PrunableEventLog {
  readonly #store: Store
  readonly #insert: Query
  readonly #waiting: Query<EventRow>
  readonly #mark: Query
  readonly #recent: Query<EventRow>
  readonly #recentOfCamera: Query<EventRow>
  readonly #cut: Query<{ position: number }>
  readonly #keepIds: Query
  readonly #delete: Query
  #rows: number
  #depth: number

  constructor(store: Store) {
    this.#store = store
    this.#insert = store.prepare(
      `INSERT OR IGNORE INTO events (id, camera, type, subject, body)
       SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS (SELECT 1 FROM pruned_ids WHERE id = ?1)`,
    )
    const columns = 'SELECT position, subject, body FROM events'
    this.#waiting = store.prepare(`${columns} WHERE published = 0 ORDER BY position LIMIT ?`)
    this.#mark = store.prepare('UPDATE events SET published = 1 WHERE position = ? AND published = 0')
    this.#recent = store.prepare(`${columns} ORDER BY position DESC LIMIT ?`)
    this.#recentOfCamera = store.prepare(`${columns} WHERE camera = ? ORDER BY position DESC LIMIT ?`)
    this.#cut = store.prepare(
      `SELECT max(position) AS position FROM (SELECT position FROM events WHERE position <
         coalesce((SELECT min(position) FROM events WHERE published = 0), 9223372036854775807)
       ORDER BY position LIMIT ?)`,
    )
    this.#keepIds = store.prepare('INSERT OR IGNORE INTO pruned_ids SELECT id FROM events WHERE position <= ?')
    this.#delete = store.prepare('DELETE FROM events WHERE position <= ?')
    // Counted once and then kept: COUNT(*) reads the whole index.
    this.#rows = count(store, 'SELECT count(*) AS n FROM events')
    this.#depth = count(store, 'SELECT count(*) AS n FROM events WHERE published = 0')
  }

  append(subject: string, event: CloudEvent): boolean {
    const body = JSON.stringify(event)
    const { changes } = this.#insert.run(idBytes(event.id), event.subject, event.type, subject, body)
    if (changes === 0) return false
    this.#rows++
    this.#depth++
    return true
  }

  unpublished(limit: number): StoredEvent[] {
    return this.#waiting.all(limit).map(toStored)
  }

  markPublished(position: number): void {
    this.#depth -= this.#mark.run(position).changes
  }

  depth(): number {
    return this.#depth
  }

  recent(limit: number, camera?: string): StoredEvent[] {
    const rows = camera === undefined ? this.#recent.all(limit) : this.#recentOfCamera.all(camera, limit)
    return rows.map(toStored)
  }

  prune(maxRows: number): number {
    const surplus = Math.min(this.#rows - maxRows, PRUNE_BATCH)
    if (surplus <= 0) return 0
    const cut = this.#cut.get(surplus)?.position ?? null
    if (cut === null) return 0
    const removed = this.#store.transaction('write', () => {
      this.#keepIds.run(cut)
      return this.#delete.run(cut).changes
    })
    this.#rows -= removed
    return removed
  }
}

function count(store: Store, sql: string): number {
  return store.prepare<{ n: number }>(sql).get()?.n ?? 0
}
