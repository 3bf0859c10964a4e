/**
 * Which embedders a gallery holds embeddings of. Read beside whoever owns the data folder; never writes.
 * Runs in the daemon and in commands.
 */
import { existsSync } from 'node:fs'
import { GrabberError } from '../../core/errors.ts'
import { ANONYMOUS_PREFIX } from '../../core/observation.ts'
import { storeMigrations } from './migrations.ts'
import { openReadOnly, type Store } from './sqlite.ts'

export interface GalleryModel {
  model: string
  embeddings: number
}

/** People without a name do not count: they come anew. Most embeddings first; empty when there is no gallery. STO_UNUSABLE, STO_VERSION. */
export function galleryModels(database: string): GalleryModel[] {
  if (!existsSync(database)) return []
  using store = openAnyVersion(database)
  const rows = store
    .prepare<GalleryModel>(
      `SELECT model, count(*) AS embeddings FROM embeddings WHERE subject NOT GLOB ? || '*'
       GROUP BY model ORDER BY embeddings DESC, model`,
    )
    .all(ANONYMOUS_PREFIX)
  return rows.map(({ model, embeddings }) => ({ model, embeddings }))
}

/** The table has been there from the first version, and the daemon asks before it brings an older store up to date. */
function openAnyVersion(database: string): Store {
  for (let version = storeMigrations.length; ; version--) {
    try {
      return openReadOnly(database, storeMigrations.slice(0, version))
    } catch (error) {
      if (version === 1 || !(error instanceof GrabberError) || error.code !== 'STO_VERSION') throw error
    }
  }
}
