/**
 * Keyframes of live cameras, as the event history has them, and their pictures in the data folder. Runs in the daemon. Must never
 * read a file outside the folder of pictures, whatever an event says: events come from processes that decode hostile streams.
 */
import { readFile, realpath } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import type { CloudEvent } from '../../core/event.ts'
import type {
  KeptKeyframe,
  KeyframeFilter,
  KeyframePage,
  KeyframeRecords,
  StoredPicture,
} from '../http/keyframe-routes.ts'
import { type EventRow, idBytes, toStored } from './event-row.ts'
import type { Query, Store } from './sqlite.ts'

type KeyframeEvent = CloudEvent<'keyframe'>

/** Keyframes that one page looks at: their times are read from their bodies, on the daemon's own thread, some 3 µs each. */
const MOST_READ = 1000

/** What pictures are kept as (streams/media/still-encoder). */
const TYPES: Readonly<Record<string, StoredPicture['contentType']>> = { '.jpg': 'image/jpeg', '.png': 'image/png' }

export class KeyframeHistory implements KeyframeRecords {
  readonly #dir: string
  readonly #list: Query<EventRow>
  readonly #oldest: Query<{ position: number | null; read: number }>
  readonly #mostRead: number
  readonly #byId: Query<EventRow>

  /** `dir`: of the pictures. */
  constructor(store: Store, dir: string, mostRead = MOST_READ) {
    this.#dir = dir
    this.#mostRead = mostRead
    // By name: of its own accord SQLite goes through all events from the newest.
    const newest = `SELECT position, subject, body, camera FROM events INDEXED BY events_of_keyframes
       WHERE type = 'keyframe' AND position < ?1 ORDER BY position DESC LIMIT ?2`
    this.#oldest = store.prepare(`SELECT min(position) AS position, count(*) AS read FROM (${newest})`)
    this.#list = store.prepare(
      `SELECT position, subject, body FROM (${newest}) WHERE (?3 IS NULL OR camera = ?3)
         AND (?4 IS NULL OR json_extract(body, '$.time') >= ?4) AND (?5 IS NULL OR json_extract(body, '$.time') < ?5)
       ORDER BY position DESC LIMIT ?6`,
    )
    this.#byId = store.prepare("SELECT position, subject, body FROM events WHERE id = ? AND type = 'keyframe'")
  }

  list({ limit, camera, from, to, before = Number.MAX_SAFE_INTEGER }: KeyframeFilter): KeyframePage {
    // One more tells whether there are more.
    const found = this.#list.all(before, this.#mostRead, camera ?? null, from ?? null, to ?? null, limit + 1)
    const shown = found.slice(0, limit).map(toStored)
    const keyframes = shown.map(({ event }) => keptKeyframe(event as KeyframeEvent))
    if (found.length > limit) return { keyframes, next: String(shown.at(-1)!.position) }
    const oldest = this.#oldest.get(before, this.#mostRead)
    return { keyframes, next: oldest && oldest.read === this.#mostRead ? String(oldest.position) : null }
  }

  async picture(id: string): Promise<StoredPicture | undefined> {
    const row = this.#byId.get(idBytes(id))
    const file = row && (toStored(row).event as KeyframeEvent).data.file
    const contentType = file === undefined ? undefined : TYPES[extname(file)]
    if (file === undefined || contentType === undefined) return undefined
    const path = await inside(this.#dir, file)
    // It may have been removed since, by whoever tends the folder.
    const bytes = path && (await readFile(path).catch(() => undefined))
    return bytes ? { bytes, contentType } : undefined
  }
}

function keptKeyframe({ id, subject, time, data: { frame, score, reason, file } }: KeyframeEvent): KeptKeyframe {
  return { id, camera: subject, time, frame, score, reason, hasPicture: file !== undefined }
}

/** Links resolved; `undefined` where there is no such file, or where it lies elsewhere. */
async function inside(folder: string, file: string): Promise<string | undefined> {
  const [root, path] = await Promise.all(
    [folder, join(folder, file)].map((one) => realpath(one).catch(() => undefined)),
  )
  return root !== undefined && path?.startsWith(root + sep) ? path : undefined
}
