/**
 * Everything that thresholds can be calibrated from: the embeddings of the people who are known and of ended tracks.
 * Runs in commands, beside whoever owns the data folder. Must never write, and never log what it reads.
 */
import type { CalibratedPerson, CalibratedTrack, CalibrationData } from '../calibration/calibration-data.ts'
import { fromBlob, fromBlobs } from './embedding.ts'
import { openReadOnly, type Store } from './sqlite.ts'

interface TrackRow extends Omit<CalibratedTrack, 'embeddings' | 'subject' | 'anonymous'> {
  subject: string | null
  kind: string | null
  vectors: Uint8Array
}

/**
 * Of the database at `path`, which must exist, as it is at one moment: people in order of id, tracks (of live cameras, while
 * `faces.unknown` is `remember`) in the order in which they ended. STO_UNUSABLE, STO_VERSION.
 */
export function readGalleryEmbeddings(path: string, model: string, dimension: number): CalibrationData {
  using store = openReadOnly(path)
  return store.transaction('read', () => ({
    people: readPeople(store, model, dimension),
    tracks: readTracks(store, model, dimension),
  }))
}

function readPeople(store: Store, model: string, dimension: number): CalibratedPerson[] {
  const rows = store
    .prepare<{ subject: string; vector: Uint8Array }>(
      `SELECT e.subject, vector FROM embeddings e JOIN subjects s ON s.subject = e.subject
       WHERE model = ? AND kind = 'known' ORDER BY e.subject, id`,
    )
    .all(model)
  const people = new Map<string, Float32Array[]>()
  for (const { subject, vector } of rows) {
    const known = people.get(subject) ?? []
    people.set(subject, known)
    known.push(fromBlob(vector, dimension))
  }
  return Array.from(people, ([subject, embeddings]) => ({ subject, embeddings }))
}

function readTracks(store: Store, model: string, dimension: number): CalibratedTrack[] {
  return store
    .prepare<TrackRow>(
      `SELECT track AS trackId, camera, start_ms AS startMs, end_ms AS endMs, t.subject, kind, vectors
       FROM tracks t LEFT JOIN subjects s ON s.subject = t.subject WHERE model = ? ORDER BY id`,
    )
    .all(model)
    .map(({ trackId, camera, startMs, endMs, subject, kind, vectors }) => ({
      trackId,
      camera,
      startMs,
      endMs,
      ...(subject === null ? {} : kind === 'known' ? { subject } : { anonymous: subject }),
      embeddings: fromBlobs(vectors, dimension),
    }))
}
