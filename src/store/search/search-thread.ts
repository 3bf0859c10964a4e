/**
 * The handle on the search thread. Runs in the daemon, and in a command that both writes and searches. Must never leave a
 * question unanswered: when the thread ends, all that are open are rejected.
 */
import { Worker } from 'node:worker_threads'
import { fromCoded, GrabberError } from '../../../core/errors.ts'
import type { GalleryHit } from '../../../core/observation.ts'
import type { Kind } from '../gallery-reader.ts'
import type { Removal, SearchSizes } from './people-search.ts'
import { type FromSearch, LOADED, type SearchPlace, type ToSearch } from './search-wire.ts'

interface Question {
  resolve(answer: FromSearch): void
  reject(error: GrabberError): void
}

type Unnumbered<T> = T extends { id: number } ? Omit<T, 'id'> : never

export class SearchThread {
  /** Settles when the thread ended by itself: with why. Not after `close`. */
  readonly died: Promise<GrabberError>
  readonly #worker: Worker
  readonly #questions = new Map<number, Question>()
  readonly #settleDied: (error: GrabberError) => void
  #asked = 0
  #sizes: SearchSizes = { known: { subjects: 0, embeddings: 0 }, unknown: { subjects: 0, embeddings: 0 } }
  #ended: GrabberError | undefined
  #closing = false

  private constructor(place: SearchPlace) {
    const { promise, resolve } = Promise.withResolvers<GrabberError>()
    this.died = promise
    this.#settleDied = resolve
    this.#worker = new Worker(new URL('./search-worker.ts', import.meta.url), { workerData: place })
    this.#worker.on('message', (answer: FromSearch) => this.#take(answer))
    this.#worker.on('error', (cause) => this.#end(cause))
    this.#worker.on('exit', () => this.#end(undefined))
  }

  /**
   * Resolves when everybody is loaded. Rejects with STO_*, or ACT_STOPPED when the thread ended before that, or was ended by
   * `signal`.
   */
  static async start(place: SearchPlace, signal?: AbortSignal): Promise<SearchThread> {
    const thread = new SearchThread(place)
    const stop = () => void thread.close()
    signal?.addEventListener('abort', stop, { once: true })
    if (signal?.aborted) stop()
    try {
      await new Promise((resolve, reject) => thread.#questions.set(LOADED, { resolve, reject }))
      return thread
    } catch (error) {
      await thread.close()
      throw error
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  /** As they were at the last refresh. */
  get sizes(): SearchSizes {
    return this.#sizes
  }

  /** Rejects with STO_UNUSABLE, and with ACT_STOPPED when the thread ends. */
  async search(kind: Kind, embedding: Float32Array, k: number): Promise<GalleryHit[]> {
    const answer = await this.#ask({ type: 'search', kind, embedding, k })
    return answer.type === 'hits' ? answer.hits : []
  }

  /** Resolves when every later search sees what is committed now. */
  async refresh(removal?: Removal): Promise<void> {
    await this.#ask(removal ? { type: 'refresh', removal } : { type: 'refresh' })
  }

  /** Ends the thread. What is open is rejected. Idempotent. */
  async close(): Promise<void> {
    this.#closing = true
    await this.#worker.terminate()
    this.#end(undefined)
  }

  #ask(message: Unnumbered<ToSearch>): Promise<FromSearch> {
    if (this.#ended) return Promise.reject(this.#ended)
    const id = ++this.#asked
    return new Promise((resolve, reject) => {
      this.#questions.set(id, { resolve, reject })
      this.#worker.postMessage({ ...message, id })
    })
  }

  #take(answer: FromSearch): void {
    if (answer.type === 'refreshed') this.#sizes = answer.sizes
    const question = this.#questions.get(answer.id)
    this.#questions.delete(answer.id)
    if (answer.type === 'failed') question?.reject(fromCoded(answer.error))
    else question?.resolve(answer)
  }

  #end(cause: unknown): void {
    if (this.#ended) return
    const what = cause instanceof Error ? `: ${cause.message}` : ''
    const ended =
      cause instanceof GrabberError
        ? cause
        : new GrabberError('ACT_STOPPED', `the search thread ended${what}`, cause === undefined ? {} : { cause })
    this.#ended = ended
    for (const { reject } of this.#questions.values()) reject(ended)
    this.#questions.clear()
    if (!this.#closing) this.#settleDied(ended)
  }
}
