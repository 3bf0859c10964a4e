/**
 * People without a name, and what remains of ended tracks, in SQLite. Runs in the daemon. Bounded: the one who was not seen
 * for longest is forgotten for a new one. Must never keep a byte of somebody who was forgotten.
 */
import type { EndedTrack, GalleryHit, Sighting } from '../../core/observation.ts'
import type { Page, Visitor, VisitorBook, VisitorLimits } from '../../core/ports.ts'
import { checkEmbedding, toBlobs } from './embedding.ts'
import { unknownSubject } from './gallery.ts'
import type { PeopleStore } from './people-store.ts'
import type { Query } from './sqlite.ts'
import { JUDGED_HITS, judge, visitorId, withLook } from './visitor-judgement.ts'

export interface VisitorOptions extends VisitorLimits {
  node: string
  /** People, and ended tracks, that are kept at most. */
  maxPeople: number
  maxTracks: number
}

export class SqliteVisitors implements VisitorBook {
  readonly #people: PeopleStore
  readonly #options: VisitorOptions
  readonly #put: Query
  readonly #arrive: Query
  readonly #seen: Query
  readonly #surplus: Query<{ subject: string }>
  readonly #person: Query<{ kind: string }>
  readonly #known: Query<{ id: number }>
  readonly #putTrack: Query
  readonly #pruneTracks: Query

  constructor(people: PeopleStore, options: VisitorOptions) {
    this.#people = people
    this.#options = options
    const { store } = people
    this.#put = store.prepare(
      `INSERT INTO subjects (subject, kind, name, enrolled_at_ms, generation) VALUES (?1, 'unknown', NULL, ?2, ?3)
       ON CONFLICT (subject) DO UPDATE SET generation = ?3`,
    )
    this.#arrive = store.prepare('INSERT OR IGNORE INTO visits VALUES (?, ?, ?, 0)')
    this.#seen = store.prepare(
      'UPDATE visits SET last_seen_ms = max(last_seen_ms, ?2), tracks = tracks + ?3 WHERE subject = ?1',
    )
    this.#surplus = store.prepare(
      `SELECT subject FROM visits ORDER BY last_seen_ms, subject LIMIT max(0, (SELECT count(*) FROM visits) - ?)`,
    )
    this.#person = store.prepare('SELECT kind FROM subjects WHERE subject = ?')
    this.#known = store.prepare('SELECT id FROM tracks WHERE camera = ? AND track = ?')
    this.#putTrack = store.prepare(
      `INSERT INTO tracks (camera, track, start_ms, end_ms, subject, model, vectors) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
       ON CONFLICT (camera, track) DO UPDATE SET end_ms = ?4, subject = ?5, model = ?6, vectors = ?7`,
    )
    this.#pruneTracks = store.prepare('DELETE FROM tracks WHERE id <= (SELECT max(id) FROM tracks) - ?')
  }

  async search(embedding: Float32Array, k: number): Promise<GalleryHit[]> {
    checkEmbedding(embedding, this.#people.dimension)
    return this.#people.search('unknown', embedding, k)
  }

  /** One call at a time: two cameras that see the same new person at once must not make two of them. */
  async remember(camera: string, { trackId, template, startMs, endMs, taken }: Sighting): Promise<string | null> {
    const verdict = judge(await this.search(template, JUDGED_HITS), taken, this.#options)
    if (verdict === 'undecided') return null
    if (verdict !== 'new') {
      this.#seen.run(verdict.is, Math.round(endMs), 0)
      return verdict.is
    }
    const id = visitorId(this.#options.node, camera, trackId)
    await this.#people.change(({ generation, addEmbeddings, remove }) => {
      this.#put.run(id, Math.round(startMs), generation)
      addEmbeddings(id, [template])
      this.#arrive.run(id, Math.round(startMs), Math.round(endMs))
      for (const { subject } of this.#surplus.all(this.#options.maxPeople)) remove(subject)
    })
    return id
  }

  /** A track that was kept before, and is kept again after its host died, counts once. */
  async keep(camera: string, track: EndedTrack): Promise<void> {
    for (const embedding of track.embeddings) checkEmbedding(embedding, this.#people.dimension)
    await this.#dropMistake(camera, track)
    const person = track.subject ?? track.anonymous
    const kind = person === undefined ? undefined : this.#person.get(person)?.kind
    if (person !== undefined && kind === undefined) return
    const isNew = this.#known.get(camera, track.trackId) === undefined
    const looks = kind === 'unknown' ? this.#learn(person!, track) : undefined
    const write = () => {
      this.#file(camera, track, person ?? null)
      if (kind === 'unknown') this.#seen.run(person!, Math.round(track.endMs), isNew ? 1 : 0)
    }
    if (!looks) return this.#people.store.transaction('write', write)
    await this.#people.change(({ generation, dropEmbeddings, addEmbeddings }) => {
      this.#put.run(person!, Math.round(track.startMs), generation)
      dropEmbeddings(person!)
      addEmbeddings(person!, looks)
      write()
    })
  }

  async list(page?: Page): Promise<Visitor[]> {
    return this.#people.reader.visitors(page)
  }

  /** Deletes the person and their tracks, in the file as well. GAL_UNKNOWN_SUBJECT. */
  async forget(id: string): Promise<void> {
    await this.#people.change(({ remove }) => {
      if (this.#people.reader.visitor(id) === undefined || !remove(id)) throw unknownSubject()
    })
  }

  /** Somebody whose first track was confirmed as a known person in the end was never a person without a name. */
  async #dropMistake(camera: string, { trackId, subject, anonymous }: EndedTrack): Promise<void> {
    if (subject === undefined || anonymous !== visitorId(this.#options.node, camera, trackId)) return
    if (this.#people.reader.visitor(anonymous)?.tracks === 0) await this.forget(anonymous)
  }

  #learn(id: string, { embeddings }: EndedTrack): Float32Array[] | undefined {
    return withLook(this.#people.reader.embeddings(id), embeddings[0]!, this.#options)
  }

  #file(camera: string, { trackId, startMs, endMs, embeddings }: EndedTrack, person: string | null): void {
    const times = [Math.round(startMs), Math.round(endMs)]
    this.#putTrack.run(camera, trackId, ...times, person, this.#people.model, toBlobs(embeddings))
    this.#pruneTracks.run(this.#options.maxTracks)
  }
}
