/**
 * Everybody whom the store knows, put together: people with and without a name, the search over them, and what giving a
 * name needs. Runs in the daemon, and in commands that hold the lock.
 */
import type { People } from '../actors/gallery.ts'
import type { Config } from '../config/schema.ts'
import type { Clock } from '../core/clock.ts'
import type { CloudEvent } from '../core/event.ts'
import type { NewName, Subject } from '../core/ports.ts'
import { embeddingDimension, facesSpec } from './face-models.ts'
import { nameVisitor } from './naming.ts'
import { AnonymousHistory } from './store/anonymous-history.ts'
import { SqliteGallery } from './store/gallery.ts'
import { PeopleStore } from './store/people-store.ts'
import type { SearchSizes } from './store/search/people-search.ts'
import type { Store } from './store/sqlite.ts'
import { SqliteVisitors } from './store/visitors.ts'

export interface PeopleParts {
  store: Store
  /** Settled (src/model-choice). */
  config: Config
  clock: Clock
  /** Stores and publishes an event. */
  submit(event: CloudEvent): void
  /** Tracks that were told of since then may still be open. */
  openSinceMs: number
}

/** Not searched yet: the first search, or `load`, reads everybody. */
export class StoredPeople {
  readonly gallery: SqliteGallery
  readonly visitors: SqliteVisitors
  readonly #people: PeopleStore
  readonly #parts: PeopleParts
  readonly #history: AnonymousHistory

  constructor(parts: PeopleParts) {
    const { store, config, clock } = parts
    const { embedder: model, matchThreshold, minMargin } = facesSpec(config)
    this.#parts = parts
    this.#people = new PeopleStore(store, { model, dimension: embeddingDimension(config, model) })
    this.#history = new AnonymousHistory(store)
    this.gallery = new SqliteGallery(this.#people, clock)
    const { maxPeople, maxTracks } = config.visitors
    const options = { node: config.node, matchThreshold, minMargin, maxPeople, maxTracks }
    this.visitors = new SqliteVisitors(this.#people, options)
  }

  /** Resolves when everybody is loaded for searching; rejects when `signal` is aborted before that. `sizes` are those of the present. */
  async load(signal?: AbortSignal): Promise<People & { sizes(): SearchSizes }> {
    const thread = await this.#people.open(signal)
    return {
      gallery: this.gallery,
      visitors: this.visitors,
      name: (visitor, given) => this.name(visitor, given),
      died: thread.died,
      close: () => this.close(),
      sizes: () => thread.sizes,
    }
  }

  name(visitor: string, given: NewName): Promise<Subject> {
    const { config, submit, openSinceMs } = this.#parts
    const { node } = config
    const { matchThreshold } = facesSpec(config)
    const limits = { matchThreshold, node, openSinceMs, submit }
    const parts = { ...limits, people: this.#people, gallery: this.gallery, history: this.#history }
    return nameVisitor(parts, visitor, given)
  }

  /** The store is its owner's. */
  close(): Promise<void> {
    return this.#people.close()
  }
}
