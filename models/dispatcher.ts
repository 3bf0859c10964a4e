/**
 * Between the sessions and the inference thread: admits requests, lets the batcher order them, keeps the device supplied, and
 * brings each answer to the session that asked. Runs in the engine host's I/O thread; touches no tensor.
 *
 * While a batch runs, the best next one is offered to the device (models/inference-wire). Until the device takes it, its
 * requests still wait: they may expire, and a better choice replaces the offer.
 */
import type { Clock } from '../core/clock.ts'
import { GrabberError, toGrabberError } from '../core/errors.ts'
import type { BatchSettings, EngineFigures, ModelFigures } from '../core/wire/engine-control.ts'
import { Batcher, type BatchItem, type Selection } from './batcher.ts'
import { EngineSamples } from './engine-samples.ts'
import type { BatchDevice } from './inference-thread.ts'
import type { Ran } from './inference-wire.ts'
import { LaneTable } from './lane-table.ts'
import type { ModelSet, ServedModel } from './model-set.ts'
import type { PicturePool } from './picture-pool.ts'
import type { InferRequest, TensorSession } from './tensor-session.ts'

/** Who asks; a session, or a test. */
export type Asker = Pick<TensorSession, 'number' | 'priority' | 'result' | 'error'>

interface Queued extends BatchItem {
  from: Asker
  request: InferRequest
  model: ServedModel
}

interface Running {
  seq: number
  items: readonly Queued[]
  waitedMs: number[]
  sinceMs: number
}

export interface DispatcherOptions {
  clock: Clock
  batch: BatchSettings
  models: ModelSet
  device: BatchDevice
  pool: Pick<PicturePool, 'give'>
}

export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly #batcher: Batcher<Queued>
  readonly #lanes: LaneTable
  readonly #samples: EngineSamples
  /** In the order of their runs: one that runs, and at most one that the device took after it. */
  readonly #running: Running[] = []
  #offered: { seq: number; selection: Selection<Queued> } | undefined

  constructor(options: DispatcherOptions) {
    this.#options = options
    const { clock, batch, device } = options
    this.#samples = new EngineSamples(clock)
    this.#lanes = new LaneTable(batch)
    this.#batcher = new Batcher<Queued>({
      clock,
      maxWaitMs: batch.maxWaitMs,
      queueLimit: batch.queueLimit,
      limit: ({ lane, model, request }) => this.#lanes.limit(lane, model.entry, request.picture),
      cost: ({ model, request }) => this.#lanes.costMs(model.key, request.picture),
      reclaim: (item) => this.#reclaim(item),
      expired: (item, waitedMs) => this.#expired(item, waitedMs),
    })
    device.onRan((ran) => this.#ran(ran))
  }

  /** Answers with MDL_MISSING, ENG_PROTOCOL or ENG_QUEUE_FULL at once when the request cannot be queued. */
  submit(from: Asker, request: InferRequest): void {
    try {
      const model = this.#options.models.find(request.model)
      const accepted = this.#batcher.submit({
        from,
        request,
        model,
        session: from.number,
        weight: from.priority + 1,
        lane: `${model.key}/${model.adapter.batchKey(request.picture)}`,
        alone: request.attempt > 1,
        expiresInMs: request.expiresInMs,
      })
      if (accepted) {
        this.#options.models.opened(model)
      } else {
        this.#samples.refused++
        this.#refuse(from, request, new GrabberError('ENG_QUEUE_FULL', `${this.#batcher.depth} requests are waiting`))
      }
    } catch (error) {
      this.#samples.failed++
      this.#refuse(from, request, toGrabberError(error))
    }
    this.#supply()
  }

  leave(session: Pick<Asker, 'number'>): void {
    for (const item of this.#batcher.leave(session.number)) this.#over(item)
    this.#supply()
  }

  figures(): Omit<EngineFigures, 'loadingForMs' | 'rssBytes'> {
    const { clock, models } = this.#options
    const { completed, failed, expired, refused } = this.#samples
    const model = (id: string): ModelFigures => {
      const { key, entry } = models.find(id)
      return { batchCap: this.#lanes.smallestLimit(key, entry), ...this.#samples.latencies(id) }
    }
    const running = this.#running[0]
    return {
      ...{ completed, failed, expired, refused },
      queueDepth: this.#batcher.depth,
      runningForMs: running === undefined ? null : clock.monotonicMs() - running.sinceMs,
      models: Object.fromEntries(models.ids.map((id) => [id, model(id)])),
      samples: this.#samples.takeBatches(),
    }
  }

  /** A model was swapped out and has answered all. */
  forget({ id, key }: ServedModel): void {
    this.#lanes.forget(key)
    if (!this.#options.models.ids.includes(id)) this.#samples.forget(id)
  }

  /** After each change: a free device runs the best batch, a busy one is offered it. */
  #supply(): void {
    const { device } = this.#options
    if (this.#running.length === 0) {
      const selection = this.#batcher.select()
      if (selection === undefined) return
      this.#started(device.start(batchOf(selection)), selection)
    }
    if (this.#running.length > 1) return
    const selection = this.#batcher.select()
    if (this.#offered !== undefined) {
      if (selection !== undefined && sameItems(selection, this.#offered.selection)) {
        this.#offered.selection = selection
        return
      }
      if (!this.#withdraw()) return
    }
    if (selection !== undefined) this.#offered = { seq: device.offer(batchOf(selection)), selection }
  }

  /** False when the device took the offer first: it runs then. */
  #withdraw(): boolean {
    const offered = this.#offered
    if (offered === undefined) return true
    if (!this.#options.device.withdraw()) {
      this.#started(offered.seq, offered.selection)
      return false
    }
    this.#offered = undefined
    return true
  }

  #started(seq: number, selection: Selection<Queued>): void {
    this.#offered = undefined
    const waitedMs = this.#batcher.commit(selection)
    this.#running.push({ seq, items: selection.items, waitedMs, sinceMs: this.#options.clock.monotonicMs() })
  }

  #ran({ seq, outcome, runMs, next }: Ran): void {
    const batch = this.#running.shift()
    if (batch?.seq !== seq) throw new Error(`the device answered batch ${seq}, not ${batch?.seq}`)
    const offered = this.#offered
    if (offered !== undefined) {
      // It runs already; or it may be chosen anew, since the device is free.
      if (offered.seq === next) this.#started(next, offered.selection)
      else this.#withdraw()
    }
    if (this.#running[0] !== undefined) this.#running[0].sinceMs = this.#options.clock.monotonicMs()
    const { lane, model, request } = batch.items[0]!
    this.#lanes.ran(lane, model.key, request.picture, batch.items.length, runMs, outcome)
    // Before the answers are written, so that the device waits for nothing.
    this.#supply()
    this.#samples.batch(model.id, batch.items.length, runMs)
    for (const [index, item] of batch.items.entries()) {
      const { from, request } = item
      const answer = outcome.answers[index]!
      if (answer.ok) {
        const { rows, columns, data } = answer.result
        this.#samples.completed++
        this.#samples.latency(model.id, batch.waitedMs[index]! + runMs)
        from.result({ type: 'result', id: request.id, rows, columns }, data)
      } else {
        this.#samples.failed++
        from.error(request.id, answer.error)
      }
      this.#over(item)
    }
  }

  #reclaim(item: Queued): boolean {
    if (this.#offered?.selection.items.includes(item) !== true) return true
    return this.#withdraw()
  }

  #expired(item: Queued, waitedMs: number): void {
    this.#samples.expired++
    const { from, request } = item
    const error = new GrabberError('ENG_EXPIRED', `${request.model} was not run within ${Math.round(waitedMs)} ms`)
    from.error(request.id, error.toJSON())
    this.#over(item)
    this.#supply()
  }

  #refuse(from: Asker, request: InferRequest, error: GrabberError): void {
    from.error(request.id, error.toJSON())
    this.#options.pool.give(request.picture.data)
  }

  /** The request is answered, or nobody waits for it. */
  #over({ request, model }: Queued): void {
    this.#options.pool.give(request.picture.data)
    this.#options.models.settled(model)
  }
}

function batchOf({ items }: Selection<Queued>) {
  return {
    model: items[0]!.model.key,
    items: items.map(({ request: { picture, params } }) => ({ picture, params })),
  }
}

function sameItems(a: Selection<Queued>, b: Selection<Queued>): boolean {
  return a.items.length === b.items.length && a.items.every((item, index) => item === b.items[index])
}
