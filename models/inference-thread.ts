/**
 * The I/O thread's handle on the inference thread: one question at a time, one answer each. Runs in engine hosts.
 * Offers no way to end the thread: see models/ort-worker.
 */
import { Worker } from 'node:worker_threads'
import { fromCoded, GrabberError } from '../core/errors.ts'
import type { DeviceReport } from '../core/wire/engine-control.ts'
import type { BatchOutcome, BatchPicture } from './batch-run.ts'
import type { FromInference, LoadModels, ToInference } from './inference-wire.ts'

interface Pending {
  resolve: (answer: FromInference) => void
  reject: (error: unknown) => void
}

export class InferenceThread {
  readonly #worker = new Worker(new URL('./ort-worker.ts', import.meta.url))
  #pending: Pending | undefined
  #died: GrabberError | undefined

  constructor() {
    this.#worker.on('message', (answer: FromInference) => {
      const pending = this.#pending
      this.#pending = undefined
      pending?.resolve(answer)
    })
    this.#worker.on('error', (cause) => this.#dead(cause))
    this.#worker.on('exit', () => this.#dead(undefined))
  }

  /** Loads the models on a device and runs each once. Rejects with ENG_START, MDL_* or ACT_DEFECT. */
  async load(message: Omit<LoadModels, 'type'>): Promise<DeviceReport> {
    const answer = await this.#ask({ type: 'load', ...message })
    if (answer.type === 'loaded') return answer.device
    if (answer.type === 'load.failed') throw fromCoded(answer.error)
    throw new GrabberError('ACT_DEFECT', `the inference thread answered ${answer.type} to load`)
  }

  /** Runs one batch; the pictures' memory is handed over. Rejects only when the thread died. */
  async run(model: string, items: BatchPicture[]): Promise<{ outcome: BatchOutcome; runMs: number }> {
    const memory = new Set(items.map((item) => item.picture.data.buffer as ArrayBuffer))
    const answer = await this.#ask({ type: 'run', model, items }, [...memory])
    if (answer.type === 'ran') return answer
    throw new GrabberError('ACT_DEFECT', `the inference thread answered ${answer.type} to run`)
  }

  /** Resolves when no question is open; the thread is outside native code then, and the process may exit. */
  async quiet(): Promise<void> {
    if (this.#pending === undefined) return
    await new Promise<void>((resolve) => {
      this.#worker.once('message', () => resolve())
      this.#worker.once('exit', () => resolve())
    })
  }

  #ask(message: ToInference, transfer: ArrayBuffer[] = []): Promise<FromInference> {
    if (this.#died !== undefined) return Promise.reject(this.#died)
    if (this.#pending !== undefined) throw new Error('the inference thread is asked two things at once')
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject }
      this.#worker.postMessage(message, transfer)
    })
  }

  #dead(cause: unknown): void {
    const what = cause instanceof Error ? cause.message : 'without an error'
    this.#died ??= new GrabberError('ENG_UNAVAILABLE', `the inference thread ended: ${what}`, { cause })
    this.#pending?.reject(this.#died)
    this.#pending = undefined
  }
}
