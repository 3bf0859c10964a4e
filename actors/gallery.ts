/**
 * The gallery actor: the one that speaks to the gallery, one question at a time. Runs in the daemon.
 * Questions of all cameras stand in one bounded line with a deadline each, so that a burst of faces is refused instead of
 * holding up the event loop for the sum of its searches: between two searches the loop turns.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../core/clock.ts'
import { GrabberError } from '../core/errors.ts'
import type { GalleryHit } from '../core/observation.ts'
import type { FaceGallery, Logger, Subject } from '../core/ports.ts'
import { type ActorRef, spawnActor } from './kernel/actor.ts'
import type { Reply } from './kernel/asks.ts'
import type { ChildSpec } from './kernel/child.ts'

/** Ten faces a frame of fifty cameras. */
const MAILBOX = 500
const SHUTDOWN_MS = 5000

interface Question {
  answer(gallery: FaceGallery): unknown
  reply: Reply<unknown>
}

export interface GalleryOptions {
  gallery: FaceGallery
  clock: Clock
  logger: Logger
  askDeadlineMs: number
  /** Duration of each search, ms. */
  onSearch(durationMs: number): void
}

export class GalleryActor {
  /** Permanent child of the root. */
  readonly child: ChildSpec
  readonly #options: GalleryOptions
  #ref: ActorRef<Question> | undefined

  constructor(options: GalleryOptions) {
    this.#options = options
    this.child = { id: 'gallery', restart: 'permanent', shutdownMs: SHUTDOWN_MS, start: () => this.#start() }
  }

  /** Best `k` subjects. Rejects with ACT_DEADLINE, ACT_OVERFLOW, ACT_STOPPED, GAL_*, STO_*. */
  search(embedding: Float32Array, k: number): Promise<GalleryHit[]> {
    return this.#ask((gallery) => {
      const startMs = this.#options.clock.monotonicMs()
      const hits = gallery.search(embedding, k)
      this.#options.onSearch(this.#options.clock.monotonicMs() - startMs)
      return hits
    })
  }

  /** GAL_MODEL_MISMATCH when the embeddings are of another model than the gallery's. */
  enroll(subject: string, name: string | null, embeddings: Float32Array[], model: string): Promise<Subject> {
    return this.#ask((gallery) => {
      if (model === gallery.model) return gallery.enroll(subject, name, embeddings)
      const message = `the embeddings are of ${model}, the gallery is of ${gallery.model}`
      throw new GrabberError('GAL_MODEL_MISMATCH', message)
    })
  }

  remove(subject: string): Promise<void> {
    return this.#ask((gallery) => gallery.remove(subject))
  }

  list(): Promise<Subject[]> {
    return this.#ask((gallery) => gallery.list())
  }

  #ask<T>(answer: (gallery: FaceGallery) => T): Promise<T> {
    const ref = this.#ref
    if (!ref) return Promise.reject(new GrabberError('ACT_STOPPED', 'the gallery has not started'))
    return ref.ask<T>((reply) => ({ answer, reply: reply as Reply<unknown> }), this.#options.askDeadlineMs)
  }

  #start(): ActorRef<Question> {
    const { gallery, clock, logger } = this.#options
    this.#ref = spawnActor<Question>({ name: 'gallery', mailboxLimit: MAILBOX, clock, logger }, () => ({
      async receive({ answer, reply }) {
        try {
          reply(answer(gallery))
        } catch (error) {
          // A coded error is the asker's; anything else is a defect and ends the actor.
          if (!(error instanceof GrabberError)) throw error
          reply.fail(error)
        }
        await nextTurn()
      },
    }))
    return this.#ref
  }
}
