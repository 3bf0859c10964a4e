/**
 * The gallery actor: the one that speaks to the people's store, known and unknown. Runs in the daemon.
 * Questions of all cameras stand in one bounded line with a deadline each, so that a burst of faces is refused instead of
 * piling up. Searches run beside one another; what changes something runs alone, in its turn. When the search thread dies
 * the actor ends as a crash, and its supervisor opens the store anew.
 */
import type { Clock } from '../core/clock.ts'
import { GrabberError } from '../core/errors.ts'
import type { EndedTrack, GalleryHit, Sighting } from '../core/observation.ts'
import type { FaceGallery, Logger, NewName, Page, Subject, Visitor, VisitorBook } from '../core/ports.ts'
import { type ActorRef, type Behaviour, type Self, spawnActor } from './kernel/actor.ts'
import type { Reply } from './kernel/asks.ts'
import type { ChildSpec } from './kernel/child.ts'

/** Ten faces a frame of fifty cameras. */
const MAILBOX = 500
/** Searches that are with the thread at once: so many questions can be beyond the reach of their deadline. */
const OPEN_SEARCHES = 16
const SHUTDOWN_MS = 5000

/** What the actor owns while it lives. */
export interface People {
  gallery: FaceGallery
  visitors: VisitorBook & { forget(visitor: string): Promise<void> }
  /** Gives a person without a name one, and tells the history. GAL_*, STO_*. */
  name(visitor: string, given: NewName): Promise<Subject>
  /** Settles when it can no longer answer. */
  died: Promise<GrabberError>
  close(): Promise<void>
}

/** A long history takes a while to be told anew. */
const NAMING_DEADLINE_MS = 110_000

interface Question {
  answer(people: People): Promise<unknown>
  isSearch: boolean
  /** Nobody waits for the answer after this, on the monotonic clock. */
  expiresMs: number
  reply: Reply<unknown>
}

export interface GalleryOptions {
  /** Loads everybody; takes its time with a large gallery, and gives up when `signal` is aborted. */
  open(signal: AbortSignal): Promise<People>
  clock: Clock
  logger: Logger
  askDeadlineMs: number
  /** Duration of each search, ms. */
  onSearch(durationMs: number): void
}

/** All reject with ACT_DEADLINE, ACT_OVERFLOW, ACT_STOPPED, GAL_*, STO_*. */
export class GalleryActor {
  /** Permanent child of the root. */
  readonly child: ChildSpec
  readonly #options: GalleryOptions
  #ref: ActorRef<Question> | undefined

  constructor(options: GalleryOptions) {
    this.#options = options
    this.child = {
      id: 'gallery',
      restart: 'permanent',
      shutdownMs: SHUTDOWN_MS,
      start: ({ signal }) => this.#start(signal),
    }
  }

  /** Best `k` people who are known. */
  search(embedding: Float32Array, k: number): Promise<GalleryHit[]> {
    return this.#ask(({ gallery }) => this.#timed(() => gallery.search(embedding, k)), true)
  }

  /** GAL_MODEL_MISMATCH when the embeddings are of another model than the gallery's. */
  enroll(subject: string, name: string | null, embeddings: Float32Array[], model: string): Promise<Subject> {
    return this.#ask(async ({ gallery }) => {
      if (model === gallery.model) return gallery.enroll(subject, name, embeddings)
      const message = `the embeddings are of ${model}, the gallery is of ${gallery.model}`
      throw new GrabberError('GAL_MODEL_MISMATCH', message)
    })
  }

  remove(subject: string): Promise<void> {
    return this.#ask(({ gallery }) => gallery.remove(subject))
  }

  list(page?: Page): Promise<Subject[]> {
    return this.#ask(({ gallery }) => gallery.list(page))
  }

  remember(camera: string, sighting: Sighting): Promise<string | null> {
    return this.#ask(({ visitors }) => this.#timed(() => visitors.remember(camera, sighting)))
  }

  keep(camera: string, track: EndedTrack): Promise<void> {
    return this.#ask(({ visitors }) => visitors.keep(camera, track))
  }

  visitors(page?: Page): Promise<Visitor[]> {
    return this.#ask(({ visitors }) => visitors.list(page))
  }

  forget(visitor: string): Promise<void> {
    return this.#ask(({ visitors }) => visitors.forget(visitor))
  }

  name(visitor: string, given: NewName): Promise<Subject> {
    return this.#ask((people) => people.name(visitor, given), false, NAMING_DEADLINE_MS)
  }

  #ask<T>(
    answer: (people: People) => Promise<T>,
    isSearch = false,
    deadlineMs = this.#options.askDeadlineMs,
  ): Promise<T> {
    const ref = this.#ref
    if (!ref) return Promise.reject(new GrabberError('ACT_STOPPED', 'the gallery has not started'))
    const expiresMs = this.#options.clock.monotonicMs() + deadlineMs
    return ref.ask<T>((reply) => ({ answer, isSearch, expiresMs, reply: reply as Reply<unknown> }), deadlineMs)
  }

  async #timed<T>(search: () => Promise<T>): Promise<T> {
    const { clock, onSearch } = this.#options
    const startMs = clock.monotonicMs()
    const answer = await search()
    onSearch(clock.monotonicMs() - startMs)
    return answer
  }

  async #start(signal: AbortSignal): Promise<ActorRef<Question>> {
    const { open, clock, logger } = this.#options
    const people = await open(signal)
    this.#ref = spawnActor<Question>({ name: 'gallery', mailboxLimit: MAILBOX, clock, logger }, (self) => {
      void people.died.then((error) => self.crash(error))
      return answering(people, clock, self)
    })
    return this.#ref
  }
}

function answering(people: People, clock: Clock, self: Self<Question>): Behaviour<Question> {
  const searches = new Set<Promise<void>>()
  const settle = async ({ answer, reply }: Question): Promise<void> => {
    try {
      reply(await answer(people))
    } catch (error) {
      // A coded error is the asker's; anything else is a defect and ends the actor.
      if (error instanceof GrabberError) reply.fail(error)
      else self.crash(error)
    }
  }
  return {
    async receive(question) {
      if (clock.monotonicMs() > question.expiresMs) return
      if (!question.isSearch) return settle(question)
      const search: Promise<void> = settle(question).finally(() => searches.delete(search))
      searches.add(search)
      if (searches.size >= OPEN_SEARCHES) await Promise.race(searches)
    },
    close: () => people.close(),
  }
}
