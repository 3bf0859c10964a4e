/**
 * The inference thread's order of work: one message after the other, and the newest standing offer as soon as a batch is
 * done (models/inference-wire). Owns no model. Runs in the engine's inference thread.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { FromInference, RunBatch, ToInference } from './inference-wire.ts'

export interface InferenceLoopOptions {
  port: MessagePort
  /** The word that says which offer stands. */
  standing: Int32Array
  /** Must not reject. */
  run(
    batch: RunBatch,
  ): Promise<{ answer: Omit<Extract<FromInference, { type: 'ran' }>, 'next'>; transfer: ArrayBuffer[] }>
  /** Answers anything but a batch; must not reject. */
  other(message: Exclude<ToInference, RunBatch>): Promise<FromInference | undefined>
}

export class InferenceLoop {
  readonly #options: InferenceLoopOptions
  readonly #inbox: ToInference[] = []
  #working = false

  constructor(options: InferenceLoopOptions) {
    this.#options = options
    options.port.on('message', (message: ToInference) => {
      this.#inbox.push(message)
      void this.#work()
    })
  }

  /** A model's run lets the event loop turn, so messages may arrive meanwhile: only one of these is at work. */
  async #work(): Promise<void> {
    if (this.#working) return
    this.#working = true
    const { port, other } = this.#options
    for (let message = this.#inbox.shift(); message !== undefined; message = this.#inbox.shift()) {
      if (message.type !== 'run') {
        const answer = await other(message)
        if (answer !== undefined) port.postMessage(answer)
      } else if (message.sure || this.#take(message.seq)) {
        await this.#run(message)
      }
    }
    this.#working = false
  }

  /** The answer says which batch comes next, so that both threads know what runs. */
  async #run(first: RunBatch): Promise<void> {
    let batch: RunBatch | undefined = first
    while (batch !== undefined) {
      const { answer, transfer } = await this.#options.run(batch)
      batch = this.#nextOffer()
      this.#options.port.postMessage({ ...answer, next: batch?.seq ?? 0 } satisfies FromInference, transfer)
    }
  }

  /** The standing offer if it has arrived, and nothing that came before it waits: a model is loaded or dropped in its turn. */
  #nextOffer(): RunBatch | undefined {
    const { port } = this.#options
    for (let got = receiveMessageOnPort(port); got !== undefined; got = receiveMessageOnPort(port)) {
      this.#inbox.push(got.message)
    }
    while (this.#inbox.length > 0) {
      const message = this.#inbox[0]!
      if (message.type !== 'run' || message.sure) return undefined
      this.#inbox.shift()
      if (this.#take(message.seq)) return message
    }
    return undefined
  }

  #take(seq: number): boolean {
    return Atomics.compareExchange(this.#options.standing, 0, seq, 0) === seq
  }
}
