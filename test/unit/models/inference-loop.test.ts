/** The order of work of the inference thread, with a model that is the test's. */
import { MessageChannel } from 'node:worker_threads'
import { afterEach, expect, test } from 'vitest'
import { InferenceLoop } from '../../../models/inference-loop.ts'
import type { FromInference, RunBatch, ToInference } from '../../../models/inference-wire.ts'

class Rig {
  readonly standing = new Int32Array(new SharedArrayBuffer(4))
  readonly runs: number[] = []
  readonly answers: FromInference[] = []
  readonly #finish: (() => void)[] = []
  readonly #channel = new MessageChannel()

  constructor() {
    this.#channel.port1.on('message', (answer) => this.answers.push(answer))
    new InferenceLoop({
      port: this.#channel.port2,
      standing: this.standing,
      run: async ({ seq }) => {
        this.runs.push(seq)
        await new Promise<void>((done) => this.#finish.push(done))
        const outcome = { answers: [], split: false, outOfMemory: false }
        return { answer: { type: 'ran', seq, outcome, runMs: 1 }, transfer: [] }
      },
      other: async (message) => {
        this.runs.push(-1)
        return message.type === 'add' ? { type: 'added' } : undefined
      },
    })
  }

  say(message: ToInference): void {
    this.#channel.port1.postMessage(message)
  }

  start(seq: number): void {
    this.say(batch(seq, true))
  }

  offer(seq: number): void {
    Atomics.store(this.standing, 0, seq)
    this.say(batch(seq, false))
  }

  async finish(): Promise<void> {
    await until(() => this.#finish.length > 0)
    this.#finish.shift()!()
  }

  close(): void {
    this.#channel.port1.close()
  }
}

const batch = (seq: number, sure: boolean): RunBatch => ({ type: 'run', seq, sure, model: 'm', items: [] })
const until = (condition: () => boolean) => expect.poll(condition, { timeout: 12_000, interval: 1 }).toBe(true)

let rig: Rig
afterEach(() => rig.close())

test('the standing offer runs right after the batch, and the answer says so', async () => {
  rig = new Rig()
  rig.start(1)
  rig.offer(2)
  await rig.finish()
  await rig.finish()
  await until(() => rig.answers.length === 2)
  expect(rig.runs).toEqual([1, 2])
  expect(rig.answers).toMatchObject([
    { seq: 1, next: 2 },
    { seq: 2, next: 0 },
  ])
  expect(Atomics.load(rig.standing, 0)).toBe(0)
})

test('of several offers the one that stands runs, and none that was taken back', async () => {
  rig = new Rig()
  rig.start(1)
  rig.offer(2)
  rig.offer(3)
  await rig.finish()
  await until(() => rig.runs.length === 2)
  expect(rig.runs).toEqual([1, 3])
  rig.offer(4)
  Atomics.store(rig.standing, 0, 0)
  await rig.finish()
  rig.start(5)
  await until(() => rig.runs.length === 3)
  expect(rig.runs).toEqual([1, 3, 5])
  await rig.finish()
})

test('an offer that arrives when the device is free runs at once', async () => {
  rig = new Rig()
  rig.offer(7)
  await until(() => rig.runs.length === 1)
  await rig.finish()
  await until(() => rig.answers.length === 1)
  expect(rig.answers).toMatchObject([{ seq: 7, next: 0 }])
})

test('a model is loaded in its turn: an offer does not pass it', async () => {
  rig = new Rig()
  rig.start(1)
  rig.say({ type: 'drop', keys: [] })
  rig.offer(2)
  await rig.finish()
  await until(() => rig.runs.length === 3)
  expect(rig.runs).toEqual([1, -1, 2])
  await rig.finish()
  await until(() => rig.answers.length === 2)
  expect(rig.answers).toMatchObject([{ seq: 1, next: 0 }, { seq: 2 }])
})
