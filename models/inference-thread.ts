/**
 * The I/O thread's handle on the inference thread: batches told and offered (models/inference-wire), models loaded one at a
 * time. Runs in engine hosts. Offers no way to end the thread: see models/ort-worker.
 */
import { Worker } from 'node:worker_threads'
import { fromCoded, GrabberError } from '../core/errors.ts'
import type { DeviceReport } from '../core/wire/engine-control.ts'
import type { FromInference, LoadModels, ModelFile, Ran, RunBatch, ToInference } from './inference-wire.ts'

export type Batch = Pick<RunBatch, 'model' | 'items'>

/** What the dispatcher needs of a device. */
export interface BatchDevice {
  /** Runs it after what runs now. Returns the number that its answer carries. */
  start(batch: Batch): number
  /** Runs it after what runs now, unless it is withdrawn. One at a time may stand. */
  offer(batch: Batch): number
  /** Takes the standing offer back; false when the device took it first. */
  withdraw(): boolean
  onRan(listener: (ran: Ran) => void): void
}

interface Pending {
  resolve: (answer: FromInference) => void
  reject: (error: unknown) => void
}

export class InferenceThread implements BatchDevice {
  readonly #standing = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  readonly #worker = new Worker(new URL('./ort-worker.ts', import.meta.url), { workerData: this.#standing })
  /** Batches that run or surely will. */
  readonly #open = new Set<number>()
  readonly #idle = new Set<() => void>()
  #seq = 0
  /** The offer made last, until it is known what became of it; 0 when there is none. */
  #offered = 0
  #load: Pending | undefined
  #died: GrabberError | undefined
  #onRan: (ran: Ran) => void = () => undefined

  /** `onDied`: once, with ENG_UNAVAILABLE, when the thread ended by itself. */
  constructor(onDied: (error: GrabberError) => void) {
    this.#worker.on('message', (answer: FromInference) => this.#receive(answer))
    this.#worker.on('error', (cause) => this.#dead(cause, onDied))
    this.#worker.on('exit', () => this.#dead(undefined, onDied))
  }

  onRan(listener: (ran: Ran) => void): void {
    this.#onRan = listener
  }

  /** Loads the models on a device and runs each once. Rejects with ENG_START, MDL_* or ACT_DEFECT. */
  async load(message: Omit<LoadModels, 'type'>): Promise<DeviceReport> {
    const answer = await this.#ask({ type: 'load', ...message })
    if (answer.type === 'loaded') return answer.device
    throw new GrabberError('ACT_DEFECT', `the inference thread answered ${answer.type} to load`)
  }

  /** Loads one more model and runs it once, between two batches. Rejects as `load` does; the model is not there then. */
  async add(model: ModelFile): Promise<void> {
    await this.#ask({ type: 'add', model })
  }

  /** Frees models that no batch will use. */
  drop(keys: string[]): void {
    if (keys.length > 0) this.#post({ type: 'drop', keys })
  }

  start(batch: Batch): number {
    const seq = this.#next()
    this.#open.add(seq)
    this.#post({ type: 'run', seq, sure: true, ...batch })
    return seq
  }

  offer(batch: Batch): number {
    const seq = this.#next()
    if (Atomics.exchange(this.#standing, 0, seq) !== 0) throw new Error('two offers stand at once')
    this.#offered = seq
    this.#post({ type: 'run', seq, sure: false, ...batch })
    return seq
  }

  withdraw(): boolean {
    const withdrawn = Atomics.exchange(this.#standing, 0, 0) !== 0
    if (!withdrawn && this.#offered !== 0) this.#open.add(this.#offered)
    this.#offered = 0
    return withdrawn
  }

  /** Resolves when nothing runs or loads; the thread is outside native code then, and the process may exit. */
  async quiet(): Promise<void> {
    while (this.#died === undefined && (this.#open.size > 0 || this.#load !== undefined)) {
      await new Promise<void>((resolve) => this.#idle.add(resolve))
    }
  }

  #receive(answer: FromInference): void {
    if (answer.type === 'ran') {
      this.#open.delete(answer.seq)
      if (answer.next !== 0) {
        this.#open.add(answer.next)
        this.#offered = 0
      }
      this.#onRan(answer)
    } else {
      const load = this.#load
      this.#load = undefined
      if (answer.type === 'load.failed') load?.reject(fromCoded(answer.error))
      else load?.resolve(answer)
    }
    this.#wake()
  }

  #ask(message: LoadModels | { type: 'add'; model: ModelFile }): Promise<FromInference> {
    if (this.#died !== undefined) return Promise.reject(this.#died)
    if (this.#load !== undefined) throw new Error('the inference thread is asked to load two things at once')
    return new Promise((resolve, reject) => {
      this.#load = { resolve, reject }
      this.#post(message)
    })
  }

  #post(message: ToInference): void {
    this.#worker.postMessage(message)
  }

  #next(): number {
    this.#seq = this.#seq === 0x7fff_ffff ? 1 : this.#seq + 1
    return this.#seq
  }

  #dead(cause: unknown, onDied: (error: GrabberError) => void): void {
    if (this.#died !== undefined) return
    const what = cause instanceof Error ? cause.message : 'without an error'
    this.#died = new GrabberError('ENG_UNAVAILABLE', `the inference thread ended: ${what}`, { cause })
    this.#load?.reject(this.#died)
    this.#load = undefined
    this.#wake()
    onDied(this.#died)
  }

  #wake(): void {
    const waiting = [...this.#idle]
    this.#idle.clear()
    for (const resolve of waiting) resolve()
  }
}
