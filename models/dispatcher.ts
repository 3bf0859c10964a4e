/**
 * Between the sessions and the inference thread: admits requests, lets the batcher order them, and brings each answer to
 * the session that asked. Runs in the engine host's I/O thread; touches no tensor.
 */
import type { Clock } from '../core/clock.ts'
import { GrabberError, toGrabberError } from '../core/errors.ts'
import type { EngineFigures, EngineStart } from '../core/wire/engine-control.ts'
import type { ModelAdapter } from './adapter.ts'
import { BatchLimit } from './batch-limit.ts'
import type { BatchPicture } from './batch-run.ts'
import { Batcher, type BatchItem } from './batcher.ts'
import { EngineSamples } from './engine-samples.ts'
import type { InferenceThread } from './inference-thread.ts'
import type { ModelEntry } from './manifest.ts'
import type { InferRequest, TensorSession } from './tensor-session.ts'

/** Pixels of one batch: float32 planes and activations of eight large pictures together would not fit in memory. */
const MAX_BATCH_PX = 4096 * 4096

interface Queued extends BatchItem {
  from: TensorSession
  request: InferRequest
}

export interface ServedModel {
  entry: ModelEntry
  adapter: ModelAdapter
}

export interface DispatcherOptions {
  clock: Clock
  batch: EngineStart['batch']
  models: ReadonlyMap<string, ServedModel>
  thread: Pick<InferenceThread, 'run'>
  /** The inference thread died: this process is of no more use. */
  onBroken: (error: GrabberError) => void
}

export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly #batcher: Batcher<Queued>
  readonly #limits = new Map<string, BatchLimit>()
  readonly #samples = new EngineSamples()
  #runningSinceMs: number | null = null

  constructor(options: DispatcherOptions) {
    this.#options = options
    const { clock, batch, models } = options
    for (const [id, { entry }] of models) {
      this.#limits.set(id, new BatchLimit(Math.min(batch.max, entry.input.maxBatch ?? batch.max)))
    }
    this.#batcher = new Batcher<Queued>({
      clock,
      maxWaitMs: batch.maxWaitMs,
      queueLimit: batch.queueLimit,
      limit: ({ request: { model, picture } }) => {
        const fitting = Math.floor(MAX_BATCH_PX / (picture.width * picture.height))
        return Math.min(this.#limits.get(model)?.value ?? 1, fitting)
      },
      run: (items, waitedMs) => void this.#run(items, waitedMs),
      expired: (item, waitedMs) => this.#expired(item, waitedMs),
    })
  }

  /** Answers with MDL_MISSING, ENG_PROTOCOL or ENG_QUEUE_FULL at once when the request cannot be queued. */
  submit(from: TensorSession, request: InferRequest): void {
    try {
      const served = this.#options.models.get(request.model)
      if (served === undefined) throw new GrabberError('MDL_MISSING', `the engine has no model ${request.model}`)
      const accepted = this.#batcher.submit({
        from,
        request,
        session: from.number,
        lane: `${request.model}/${served.adapter.batchKey(request.picture)}`,
        alone: request.attempt > 1,
        expiresInMs: request.expiresInMs,
      })
      if (!accepted) throw new GrabberError('ENG_QUEUE_FULL', `${this.#batcher.depth} requests are waiting`)
    } catch (error) {
      this.#samples.failed++
      from.error(request.id, toGrabberError(error).toJSON())
    }
  }

  leave(session: TensorSession): void {
    this.#batcher.leave(session.number)
  }

  figures(): EngineFigures {
    const now = this.#options.clock.monotonicMs()
    return {
      queueDepth: this.#batcher.depth,
      runningForMs: this.#runningSinceMs === null ? null : now - this.#runningSinceMs,
      completed: this.#samples.completed,
      failed: this.#samples.failed,
      expired: this.#samples.expired,
      samples: this.#samples.take(),
      rssBytes: process.memoryUsage.rss(),
    }
  }

  async #run(items: Queued[], waitedMs: number[]): Promise<void> {
    const { clock, thread, onBroken } = this.#options
    const model = items[0]!.request.model
    const pictures: BatchPicture[] = items.map(({ request }) => ({ picture: request.picture, params: request.params }))
    this.#runningSinceMs = clock.monotonicMs()
    try {
      const { outcome, runMs } = await thread.run(model, pictures)
      const limit = this.#limits.get(model)
      if (outcome.split && outcome.answers.every((answer) => answer.ok)) limit?.failed()
      else if (!outcome.split) limit?.succeeded(items.length)
      this.#samples.batch(model, items.length, runMs)
      for (const [index, { from, request }] of items.entries()) {
        const answer = outcome.answers[index]!
        const { id } = request
        if (answer.ok) {
          const { rows, columns, data } = answer.result
          const [batch, queueMs] = [items.length, waitedMs[index]!]
          from.result({ type: 'result', id, rows, columns, batch, queueMs, runMs }, data)
          this.#samples.completed++
        } else {
          from.error(id, answer.error)
          this.#samples.failed++
        }
      }
    } catch (error) {
      onBroken(toGrabberError(error))
      return
    } finally {
      this.#runningSinceMs = null
    }
    this.#batcher.done()
  }

  #expired({ from, request }: Queued, waitedMs: number): void {
    this.#samples.expired++
    const error = new GrabberError('ENG_EXPIRED', `${request.model} was not run within ${Math.round(waitedMs)} ms`)
    from.error(request.id, error.toJSON())
  }
}
