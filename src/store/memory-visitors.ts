/**
 * People without a name as a replay meets them: those of a snapshot, and those who come. Runs in commands. Never writes:
 * what it learnt goes with the command.
 */
import type { EndedTrack, GalleryHit, Sighting } from '../../core/observation.ts'
import type { Page, Visitor, VisitorBook, VisitorLimits } from '../../core/ports.ts'
import { checkEmbedding } from './embedding.ts'
import type { VisitorLooks } from './gallery-snapshot.ts'
import { EmbeddingIndex } from './search/embedding-index.ts'
import { JUDGED_HITS, judge, visitorId, withLook } from './visitor-judgement.ts'

export interface MemoryVisitorOptions extends VisitorLimits {
  node: string
  dimension: number
  /** People that are kept at most; the one who was not seen for longest goes for a new one. */
  maxPeople: number
}

export class MemoryVisitors implements VisitorBook {
  readonly #options: MemoryVisitorOptions
  readonly #index: EmbeddingIndex
  #people: Map<string, VisitorLooks>
  /** Tracks that were kept, as `camera/track`: one counts once. */
  #tracks = new Set<string>()
  #marked: { people: Map<string, VisitorLooks>; tracks: Set<string> }

  constructor(options: MemoryVisitorOptions, people: readonly VisitorLooks[]) {
    this.#options = options
    this.#index = new EmbeddingIndex(options.dimension)
    this.#people = new Map(people.map((person) => [person.id, person]))
    for (const person of people) this.#index.put(person.id, null, person.looks)
    this.#marked = { people: new Map(this.#people), tracks: new Set() }
  }

  /** Whatever comes from here on can be taken back. */
  mark(): void {
    this.#marked = { people: new Map(this.#people), tracks: new Set(this.#tracks) }
  }

  /** Back to the mark: what came since then is going to come again. */
  rewind(): void {
    const { people, tracks } = this.#marked
    for (const id of this.#people.keys()) if (!people.has(id)) this.#index.remove(id)
    for (const [id, person] of people) if (this.#people.get(id) !== person) this.#index.put(id, null, person.looks)
    this.#people = new Map(people)
    this.#tracks = new Set(tracks)
  }

  async search(embedding: Float32Array, k: number): Promise<GalleryHit[]> {
    checkEmbedding(embedding, this.#options.dimension)
    return this.#index.search(embedding, k)
  }

  async remember(camera: string, { trackId, template, startMs, endMs, taken }: Sighting): Promise<string | null> {
    const verdict = judge(await this.search(template, JUDGED_HITS), taken, this.#options)
    if (verdict === 'undecided') return null
    if (verdict !== 'new') {
      this.#change(verdict.is, (person) => ({ ...person, lastSeenMs: Math.max(person.lastSeenMs, endMs) }))
      return verdict.is
    }
    const id = visitorId(this.#options.node, camera, trackId)
    const before = this.#people.get(id)
    const looks = [...(before?.looks ?? []), template]
    const times = { firstSeenMs: before?.firstSeenMs ?? startMs, lastSeenMs: endMs }
    this.#set({ id, ...times, tracks: before?.tracks ?? 0, embeddings: looks.length, looks })
    this.#prune()
    return id
  }

  async keep(camera: string, track: EndedTrack): Promise<void> {
    for (const embedding of track.embeddings) checkEmbedding(embedding, this.#options.dimension)
    const { trackId, subject, anonymous, endMs, embeddings } = track
    if (anonymous === undefined) return
    if (subject !== undefined) {
      const mistaken = anonymous === visitorId(this.#options.node, camera, trackId)
      if (mistaken && this.#people.get(anonymous)?.tracks === 0) this.#delete(anonymous)
      return
    }
    const key = `${camera}/${trackId}`
    const isNew = !this.#tracks.has(key)
    this.#tracks.add(key)
    this.#change(anonymous, (person) => {
      const looks = withLook(person.looks, embeddings[0]!, this.#options) ?? person.looks
      const lastSeenMs = Math.max(person.lastSeenMs, endMs)
      return { ...person, lastSeenMs, tracks: person.tracks + (isNew ? 1 : 0), embeddings: looks.length, looks }
    })
  }

  async list(page?: Page): Promise<Visitor[]> {
    const { after = '', limit } = page ?? {}
    return [...this.#people.values()]
      .filter(({ id }) => id > after)
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .slice(0, limit)
      .map(({ looks, ...visitor }) => visitor)
  }

  #change(id: string, to: (person: VisitorLooks) => VisitorLooks): void {
    const person = this.#people.get(id)
    if (person) this.#set(to(person))
  }

  #set(person: VisitorLooks): void {
    if (this.#people.get(person.id)?.looks !== person.looks) this.#index.put(person.id, null, person.looks)
    this.#people.set(person.id, person)
  }

  #delete(id: string): void {
    this.#people.delete(id)
    this.#index.remove(id)
  }

  #prune(): void {
    const surplus = this.#people.size - this.#options.maxPeople
    if (surplus <= 0) return
    const oldest = [...this.#people.values()].sort((a, b) => a.lastSeenMs - b.lastSeenMs || (a.id < b.id ? -1 : 1))
    for (const { id } of oldest.slice(0, surplus)) this.#delete(id)
  }
}
