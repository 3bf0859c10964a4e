/**
 * Where each file camera's playback stands, so that a daemon that was cut off goes on with the same event ids.
 * Runs in the daemon. Must never hand out a number twice for two playbacks (docs/protocol.md, "Identity of events").
 */
import type { Checkpoint } from '../../core/wire/session-spec.ts'
import type { Query, Store } from './sqlite.ts'

interface PlaybackRow {
  source: string
  number: number
  checkpoint: string | null
  clean_end: number
}

export interface Playback {
  /** Number of the playback, from 1; part of every event key. */
  epoch: number
  /** Where to go on; `null` starts at the beginning. */
  from: Checkpoint | null
}

/** One row a camera. Throws STO_UNUSABLE. */
export class PlaybackTable {
  readonly #select: Query<PlaybackRow>
  readonly #start: Query
  readonly #checkpoint: Query
  readonly #end: Query

  constructor(store: Store) {
    this.#select = store.prepare('SELECT source, number, checkpoint, clean_end FROM playbacks WHERE camera = ?')
    this.#start = store.prepare(
      `INSERT INTO playbacks (camera, source, number, checkpoint, clean_end) VALUES (?1, ?2, ?3, NULL, 0)
       ON CONFLICT (camera) DO UPDATE SET source = ?2, number = ?3, checkpoint = NULL, clean_end = 0`,
    )
    this.#checkpoint = store.prepare('UPDATE playbacks SET checkpoint = ? WHERE camera = ?')
    this.#end = store.prepare('UPDATE playbacks SET clean_end = 1, checkpoint = NULL WHERE camera = ?')
  }

  /**
   * A playback that was cut off goes on with its number and checkpoint; after an orderly end, or with another source, a
   * new number starts. `sourceKey` names what is played (path, or fingerprint).
   */
  begin(camera: string, sourceKey: string): Playback {
    const row = this.#select.get(camera)
    if (row !== undefined && row.clean_end === 0 && row.source === sourceKey) {
      return { epoch: row.number, from: row.checkpoint === null ? null : (JSON.parse(row.checkpoint) as Checkpoint) }
    }
    const epoch = (row?.number ?? 0) + 1
    this.#start.run(camera, sourceKey, epoch)
    return { epoch, from: null }
  }

  /** Call after the events before it were appended. */
  checkpoint(camera: string, checkpoint: Checkpoint): void {
    this.#checkpoint.run(JSON.stringify(checkpoint), camera)
  }

  /** The playback ended in order. */
  end(camera: string): void {
    this.#end.run(camera)
  }
}
