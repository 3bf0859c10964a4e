/** A device whose time is the test's: it takes batches as the inference thread does, and is done when told to be. */
import type { BatchAnswer, BatchOutcome } from '../../../models/batch-run.ts'
import type { Batch, BatchDevice } from '../../../models/inference-thread.ts'
import type { Ran } from '../../../models/inference-wire.ts'

export interface RunningBatch extends Batch {
  seq: number
}

export class FakeDevice implements BatchDevice {
  running: RunningBatch | undefined
  /** Every batch that ran or runs. */
  readonly ran: RunningBatch[] = []
  onTaken: (batch: RunningBatch) => void = () => undefined
  readonly #sure: RunningBatch[] = []
  #standing: RunningBatch | undefined
  #undelivered: Ran[] = []
  #seq = 0
  #onRan: (ran: Ran) => void = () => undefined

  onRan(listener: (ran: Ran) => void): void {
    this.#onRan = listener
  }

  get offered(): RunningBatch | undefined {
    return this.#standing
  }

  start(batch: Batch): number {
    this.#sure.push({ seq: ++this.#seq, ...batch })
    if (this.running === undefined) this.#take(this.#sure.shift()!)
    return this.#seq
  }

  offer(batch: Batch): number {
    if (this.#standing !== undefined) throw new Error('two offers stand')
    this.#standing = { seq: ++this.#seq, ...batch }
    return this.#seq
  }

  withdraw(): boolean {
    const standing = this.#standing !== undefined
    this.#standing = undefined
    return standing
  }

  /** The running batch is done, and its answer on its way. `takes`: what stands is taken in the same breath. */
  finish({ takes = true, runMs = 5, answer = good as (batch: RunningBatch) => Partial<BatchOutcome> } = {}): void {
    const batch = this.running
    if (batch === undefined) throw new Error('nothing runs')
    const outcome = { split: false, outOfMemory: false, answers: [], ...answer(batch) }
    this.running = undefined
    const next = takes && this.#sure.length === 0 ? this.#standing : undefined
    this.#undelivered.push({ type: 'ran', seq: batch.seq, outcome, runMs, next: next?.seq ?? 0 })
    if (next !== undefined) {
      this.#standing = undefined
      this.#take(next)
    } else if (this.#sure.length > 0) {
      this.#take(this.#sure.shift()!)
    }
  }

  /** A free device finds what stands, before the I/O thread has heard that it is free. */
  takeLate(): void {
    if (this.running !== undefined || this.#standing === undefined) return
    const batch = this.#standing
    this.#standing = undefined
    this.#take(batch)
  }

  /** The I/O thread hears of what was done. */
  deliver(): void {
    for (const ran of this.#undelivered.splice(0)) this.#onRan(ran)
  }

  done(options: Parameters<FakeDevice['finish']>[0] = {}): void {
    this.finish(options)
    this.deliver()
  }

  #take(batch: RunningBatch): void {
    this.running = batch
    this.ran.push(batch)
    this.onTaken(batch)
  }
}

/** Every picture is answered with its width. */
export function good({ items }: Batch): { answers: BatchAnswer[] } {
  const answers = items.map(({ picture }): BatchAnswer => {
    return { ok: true, result: { rows: 1, columns: 1, data: Float32Array.of(picture.width) } }
  })
  return { answers }
}
