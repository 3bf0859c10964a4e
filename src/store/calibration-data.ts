/**
 * Everything that thresholds can be calibrated from: the embeddings of the people who are known and of ended tracks.
 * Runs in commands, beside whoever owns the data folder. Must never write, and never log what it reads.
 */
import type { CalibrationData } from '../calibration/calibration-data.ts'
import { GalleryReader } from './gallery-reader.ts'
import { openReadOnly } from './sqlite.ts'

/** Of the database at `path`, which must exist, as it is at one moment. STO_UNUSABLE, STO_VERSION. */
export function readGalleryEmbeddings(path: string, model: string, dimension: number): CalibrationData {
  using store = openReadOnly(path)
  return store.transaction('read', () => {
    const reader = new GalleryReader(store, model, dimension)
    const people = reader.list().filter(({ embeddings }) => embeddings > 0)
    return { people: people.map(({ subject }) => ({ subject, embeddings: reader.vectors(subject) })), tracks: [] }
  })
}
