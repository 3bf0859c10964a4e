/**
 * What the event history holds of a person without a name: the last word of each of their tracks. Runs in the daemon, and
 * in commands that hold the lock. Reads only.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { CloudEvent } from '../../core/event.ts'
import type { Query, Store } from './sqlite.ts'

type TrackEvent = CloudEvent<'face.track'>

/** Events that are read and parsed between two turns of the loop: about 1 ms. */
const PART = 50

export class AnonymousHistory {
  readonly #of: Query<{ position: number; body: string }>

  constructor(store: Store) {
    // The condition is that of the index (migrations).
    this.#of = store.prepare(
      `SELECT position, body FROM events WHERE json_extract(body, '$.data.identity.anonymous') = ? AND position > ?
       ORDER BY position LIMIT ${PART}`,
    )
  }

  /** In the order in which the tracks were first told of. */
  async lastWords(anonymous: string): Promise<TrackEvent[]> {
    const last = new Map<string, TrackEvent>()
    for (let after = 0; ; ) {
      const rows = this.#of.all(anonymous, after)
      for (const { body } of rows) {
        const event = JSON.parse(body) as TrackEvent
        const track = `${event.subject}/${event.data.trackId}`
        if (event.data.revision >= (last.get(track)?.data.revision ?? 0)) last.set(track, event)
      }
      if (rows.length < PART) return [...last.values()]
      after = rows.at(-1)!.position
      await nextTurn()
    }
  }
}
