/** The engine's I/O side with a device under control: who runs when, and what becomes of each request. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CodedError } from '../../../core/errors.ts'
import type { BatchAnswer } from '../../../models/batch-run.ts'
import { type Asker, Dispatcher } from '../../../models/dispatcher.ts'
import { findModel } from '../../../models/manifest.ts'
import { ModelSet, type WantedModel, wantedModels } from '../../../models/model-set.ts'
import { PicturePool } from '../../../models/picture-pool.ts'
import { VirtualClock } from '../virtual-clock.ts'
import { FakeDevice, type RunningBatch } from './fake-device.ts'

const SIDE_PX = 32

interface Ask {
  id: number
  width: number
  askedMs: number
  expiresInMs: number | null
  attempt: number
  fates: string[]
  settledMs: number
}

class Camera implements Asker {
  readonly number: number
  readonly priority: number
  readonly asks = new Map<number, Ask>()
  left = false
  readonly #bench: Bench

  constructor(bench: Bench, number: number, priority: number) {
    this.number = number
    this.priority = priority
    this.#bench = bench
  }

  /** `widthPx` tells lanes apart, and is the answer. */
  ask(widthPx = SIDE_PX, more: Partial<Pick<Ask, 'attempt' | 'expiresInMs'>> & { model?: string } = {}): Ask {
    const { model = 'yunet', attempt = 1, expiresInMs = null } = more
    const id = ++this.#bench.lastId
    const askedMs = this.#bench.clock.monotonicMs()
    const ask: Ask = { id, width: widthPx, askedMs, expiresInMs, attempt, fates: [], settledMs: -1 }
    this.asks.set(id, ask)
    const data = this.#bench.takePicture(3 * widthPx * SIDE_PX)
    const picture = { width: widthPx, height: SIDE_PX, data }
    this.#bench.dispatcher.submit(this, { id, model, picture, params: { id }, attempt, expiresInMs })
    return ask
  }

  result({ id }: { id: number }, data: Float32Array): void {
    const ask = this.asks.get(id)!
    this.#settle(ask, data[0] === ask.width ? 'ok' : 'another one’s answer')
  }

  error(id: number, { code }: CodedError): void {
    this.#settle(this.asks.get(id)!, code)
  }

  #settle(ask: Ask, fate: string): void {
    ask.fates.push(fate)
    ask.settledMs = this.#bench.clock.monotonicMs()
  }
}

interface BenchOptions {
  max?: number
  maxWaitMs?: number
  targetLatencyMs?: number
  queueLimit?: number
  models?: WantedModel[]
}

class Bench {
  readonly clock = new VirtualClock(0)
  readonly device = new FakeDevice()
  readonly pool = new PicturePool()
  readonly unused: string[] = []
  readonly models = new ModelSet(({ key }) => this.unused.push(key))
  readonly dispatcher: Dispatcher
  readonly cameras: Camera[] = []
  lastId = 0
  picturesOut = 0

  constructor({ models = faceModels(), ...batch }: BenchOptions = {}) {
    this.models.replace(models)
    this.dispatcher = new Dispatcher({
      clock: this.clock,
      batch: { max: 4, maxWaitMs: 100, targetLatencyMs: 200, queueLimit: 100, ...batch },
      models: this.models,
      device: this.device,
      pool: {
        give: (data) => {
          this.pool.give(data)
          this.picturesOut--
        },
      },
    })
  }

  takePicture(bytes: number): Uint8Array {
    this.picturesOut++
    return this.pool.take(bytes)
  }

  camera(priority = 1): Camera {
    const camera = new Camera(this, this.cameras.length + 1, priority)
    this.cameras.push(camera)
    return camera
  }

  /** Ids in the batches so far. */
  get batches(): number[][] {
    return this.device.ran.map(idsOf)
  }
}

const idsOf = ({ items }: Pick<RunningBatch, 'items'>) => items.map(({ params }) => params.id!)
const faceModels = () => wantedModels(['yunet', 'face-reid-0095'].map((id) => ({ id, path: '' })))

describe('the next batch', () => {
  test('stands ready while one runs, and grows until the device takes it', () => {
    const bench = new Bench()
    const camera = bench.camera()
    for (let n = 0; n < 4; n++) camera.ask()
    expect(bench.batches).toEqual([[1]])
    expect(idsOf(bench.device.offered!)).toEqual([2, 3, 4])
    expect(bench.dispatcher.figures().queueDepth).toBe(3)
    bench.device.done()
    expect(bench.batches).toEqual([[1], [2, 3, 4]])
    expect(bench.dispatcher.figures()).toMatchObject({ queueDepth: 0, completed: 1 })
    bench.device.done()
    expect([...camera.asks.values()].map(({ fates }) => fates)).toEqual([['ok'], ['ok'], ['ok'], ['ok']])
  })

  test('an offered request that expires is not run, and the offer goes on without it', () => {
    const bench = new Bench()
    const camera = bench.camera()
    camera.ask()
    const late = camera.ask(SIDE_PX, { expiresInMs: 50 })
    const patient = camera.ask()
    expect(idsOf(bench.device.offered!)).toEqual([late.id, patient.id])
    bench.clock.advanceSync(50)
    expect(late).toMatchObject({ fates: ['ENG_EXPIRED'], settledMs: 50 })
    expect(idsOf(bench.device.offered!)).toEqual([patient.id])
    bench.device.done()
    expect(bench.batches.flat()).not.toContain(late.id)
  })

  test('of a camera that leaves while the device has taken its offer runs out its course', () => {
    const bench = new Bench()
    const camera = bench.camera()
    for (let n = 0; n < 3; n++) camera.ask()
    expect(idsOf(bench.device.offered!)).toEqual([2, 3])
    // The device has taken both; nobody here has heard of it yet.
    bench.device.finish()
    bench.dispatcher.leave(camera)
    bench.device.deliver()
    bench.device.done()
    expect(bench.batches).toEqual([[1], [2, 3]])
    expect(bench.dispatcher.figures().queueDepth).toBe(0)
    expect(bench.picturesOut).toBe(0)
  })

  test('one that the device took just before its deadline is answered by the device', () => {
    const bench = new Bench()
    const camera = bench.camera()
    camera.ask()
    const close = camera.ask(SIDE_PX, { expiresInMs: 50 })
    bench.device.finish()
    bench.clock.advanceSync(60)
    expect(close.fates).toEqual([])
    bench.device.deliver()
    bench.device.done()
    expect(close.fates).toEqual(['ok'])
  })

  test('taken by a device that is free and not heard of yet', () => {
    const bench = new Bench()
    const camera = bench.camera()
    camera.ask()
    const second = camera.ask()
    bench.device.finish({ takes: false })
    bench.device.takeLate()
    const third = camera.ask()
    bench.device.deliver()
    bench.device.done()
    bench.device.done()
    expect([second.fates, third.fates]).toEqual([['ok'], ['ok']])
  })

  test('a second attempt runs alone, offered or not', () => {
    const bench = new Bench()
    const [one, other] = [bench.camera(), bench.camera()]
    one.ask()
    one.ask(SIDE_PX, { attempt: 2 })
    other.ask()
    other.ask()
    while (bench.device.running !== undefined) bench.device.done()
    expect(bench.batches.find((batch) => batch.includes(2))).toEqual([2])
  })
})

test('on a busy device a camera of priority 10 is served before those of 0, which are served too', () => {
  const bench = new Bench({ max: 1, maxWaitMs: 0 })
  const [low, high] = [bench.camera(0), bench.camera(10)]
  for (let n = 0; n < 8; n++) {
    low.ask()
    high.ask()
  }
  for (let n = 0; n < 10; n++) bench.device.done()
  const served = ({ asks }: Camera) => [...asks.values()].filter(({ fates }) => fates.length > 0).length
  expect(served(high)).toBe(8)
  expect(served(low)).toBe(2)
})

describe('how large a batch may be', () => {
  const fill = (bench: Bench, count: number, widthPx = SIDE_PX) => {
    const camera = bench.camera()
    return Array.from({ length: count }, () => camera.ask(widthPx))
  }
  /** Sizes of the batches after the first one, for which nothing had waited. */
  const sizes = (bench: Bench, run: () => Parameters<FakeDevice['finish']>[0]) => {
    while (bench.device.running !== undefined) bench.device.done(run())
    return bench.batches.slice(1).map((batch) => batch.length)
  }

  test('never more than a model takes whose batch is fixed', () => {
    const fixed = findModel('yunet')
    const entry = { ...fixed, input: { ...fixed.input, maxBatch: 1 } }
    const bench = new Bench({ models: wantedModels([{ id: 'yunet', path: '', entry }]) })
    fill(bench, 9)
    expect(new Set(sizes(bench, () => ({})))).toEqual(new Set([1]))
    expect(bench.dispatcher.figures().models.yunet!.batchCap).toBe(1)
  })

  test('goes down to what runs in half the target latency, for that picture size only', () => {
    const bench = new Bench({ max: 8, targetLatencyMs: 200 })
    fill(bench, 120)
    const seen = sizes(bench, () => ({ runMs: 30 * (bench.device.running?.items.length ?? 0) }))
    expect(seen[0]).toBe(8)
    expect(new Set(seen.slice(6, 12))).toEqual(new Set([3]))
    expect(bench.dispatcher.figures().models.yunet!.batchCap).toBeLessThanOrEqual(4)
    bench.device.ran.length = 0
    fill(bench, 9, 2 * SIDE_PX)
    expect(sizes(bench, () => ({}))).toEqual([8])
  })

  test('halves when the device is out of memory, and comes back slowly', () => {
    const bench = new Bench({ max: 8 })
    fill(bench, 17)
    bench.device.done()
    const split = (batch: RunningBatch) => ({ ...goodOf(batch), split: true, outOfMemory: true })
    bench.device.done({ takes: false, answer: split })
    expect(bench.dispatcher.figures().models.yunet!.batchCap).toBe(4)
    expect(sizes(bench, () => ({}))).toEqual([8, 4, 4])
    // Two good batches of four so far: sixteen make it five.
    fill(bench, 1 + 4 * 13)
    sizes(bench, () => ({}))
    expect(bench.dispatcher.figures().models.yunet!.batchCap).toBe(4)
    fill(bench, 1 + 4)
    sizes(bench, () => ({}))
    expect(bench.dispatcher.figures().models.yunet!.batchCap).toBe(5)
  })
})

const goodOf = ({ items }: RunningBatch): { answers: BatchAnswer[] } => ({
  answers: items.map(({ picture }) => ({
    ok: true,
    result: { rows: 1, columns: 1, data: Float32Array.of(picture.width) },
  })),
})

describe('the figures', () => {
  test('count each request once, and say how long it took', () => {
    const bench = new Bench({ queueLimit: 3 })
    const camera = bench.camera()
    camera.ask()
    camera.ask(SIDE_PX, { expiresInMs: 10 })
    camera.ask()
    camera.ask()
    expect(camera.ask().fates).toEqual(['ENG_QUEUE_FULL'])
    expect(camera.ask(SIDE_PX, { model: 'nothing' }).fates).toEqual(['MDL_MISSING'])
    expect(camera.ask(8192).fates).toEqual(['ENG_PROTOCOL'])
    bench.clock.advanceSync(30)
    expect(bench.dispatcher.figures()).toMatchObject({
      queueDepth: 2,
      runningForMs: 30,
      expired: 1,
      refused: 1,
      failed: 2,
    })
    bench.device.done({ runMs: 30 })
    bench.clock.advanceSync(20)
    bench.device.done({ runMs: 20 })
    const { models, ...figures } = bench.dispatcher.figures()
    expect(figures).toMatchObject({
      completed: 3,
      failed: 2,
      expired: 1,
      refused: 1,
      queueDepth: 0,
      runningForMs: null,
    })
    expect(figures.samples.yunet).toEqual({ batchSizes: [1, 2], runMs: [30, 20] })
    expect(models.yunet).toEqual({ batchCap: 4, latencyP50Ms: 50, latencyP95Ms: 50 })
    expect(bench.dispatcher.figures().samples).toEqual({})
  })
})

describe('a change of models', () => {
  const version = (id: string, file: string) => {
    const like = findModel('yunet')
    return wantedModels([{ id, path: '', entry: { ...like, id, file } }])[0]!
  }

  test('what waits is answered by the version that it was asked of; that one goes with its last answer', () => {
    const [first, second] = [version('m', 'first.onnx'), version('m', 'second.onnx')]
    const bench = new Bench({ models: [first] })
    const camera = bench.camera()
    for (let n = 0; n < 3; n++) camera.ask(SIDE_PX, { model: 'm' })
    bench.models.replace([second])
    camera.ask(SIDE_PX, { model: 'm' })
    camera.ask(SIDE_PX, { model: 'm' })
    expect(bench.unused).toEqual([])
    while (bench.device.running !== undefined) {
      if (bench.device.running.model === first.key) expect(bench.unused).toEqual([])
      bench.device.done()
    }
    expect(bench.device.ran.map(({ model }) => model)).toEqual([first.key, first.key, second.key])
    expect(bench.unused).toEqual([first.key])
  })

  test('a removed one is not known any more, though it still answers', () => {
    const bench = new Bench({ models: [version('m', 'a.onnx')] })
    const camera = bench.camera()
    const before = camera.ask(SIDE_PX, { model: 'm' })
    bench.models.replace([])
    expect(camera.ask(SIDE_PX, { model: 'm' }).fates).toEqual(['MDL_MISSING'])
    bench.device.done()
    expect(before.fates).toEqual(['ok'])
  })
})

describe('whatever happens', () => {
  const timed = <Name extends string>(name: Name) =>
    fc.record({ do: fc.constant(name), ms: fc.integer({ min: 0, max: 40 }) })
  const action = fc.oneof(
    { weight: 2, arbitrary: timed('advance') },
    { weight: 1, arbitrary: timed('stall') },
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('ask' as const),
        camera: fc.nat(3),
        width: fc.constantFrom(32, 64),
        model: fc.constantFrom('yunet', 'yunet', 'yunet', 'nothing'),
        attempt: fc.constantFrom(1, 1, 1, 2),
        expiresInMs: fc.option(fc.integer({ min: 0, max: 60 })),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('finish' as const),
        takes: fc.boolean(),
        runMs: fc.integer({ min: 1, max: 150 }),
        fate: fc.constantFrom('good', 'good', 'poison', 'memory'),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('deliver' as const) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('takeLate' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), camera: fc.nat(3) }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('swap' as const), file: fc.constantFrom('a.onnx', 'b.onnx') }),
    },
  )

  test('each request has one fate, in time; nothing runs late, is lost, or keeps its memory', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
        const like = findModel('yunet')
        const serving = (file: string) => wantedModels([{ id: 'yunet', path: '', entry: { ...like, file } }])
        const bench = new Bench({ max: 3, queueLimit: 6, models: serving('a.onnx') })
        const { device, clock } = bench
        /** The I/O thread was late once, and its timers with it. */
        let stalled = false
        const cameras = [0, 1, 5, 10].map((priority) => bench.camera(priority))
        const all = () => cameras.flatMap((camera) => [...camera.asks.values()])
        device.onTaken = ({ items }) => {
          expect(items.length).toBeLessThanOrEqual(3)
          expect(new Set(items.map(({ picture }) => picture.width)).size).toBe(1)
          for (const { params } of items) {
            const ask = all().find(({ id }) => id === params.id)!
            expect(ask.fates).toEqual([])
            const waitedMs = clock.monotonicMs() - ask.askedMs
            if (!stalled && ask.expiresInMs !== null) expect(waitedMs).toBeLessThanOrEqual(ask.expiresInMs)
            if (ask.attempt > 1) expect(items.length).toBe(1)
          }
        }
        const outcomes = {
          good: goodOf,
          memory: (batch: RunningBatch) => ({ ...goodOf(batch), split: true, outOfMemory: true }),
          poison: (batch: RunningBatch) => {
            const { answers } = goodOf(batch)
            answers[0] = { ok: false, error: { code: 'ENG_POISON', message: '', remedy: '' } }
            return { answers, split: true }
          },
        }
        for (const it of actions) {
          if (it.do === 'ask') {
            const { width, model, attempt, expiresInMs } = it
            if (!cameras[it.camera]!.left) cameras[it.camera]!.ask(width, { model, attempt, expiresInMs })
          } else if (it.do === 'finish') {
            const { takes, runMs, fate } = it
            if (device.running !== undefined) device.finish({ takes, runMs, answer: outcomes[fate as 'good'] })
          } else if (it.do === 'deliver') device.deliver()
          else if (it.do === 'takeLate') device.takeLate()
          else if (it.do === 'leave') {
            cameras[it.camera]!.left = true
            bench.dispatcher.leave(cameras[it.camera]!)
          } else if (it.do === 'swap') bench.models.replace(serving(it.file))
          else if (it.do === 'advance') clock.advanceSync(it.ms)
          else {
            stalled = true
            clock.stall(it.ms)
          }

          const { completed, failed, expired, refused } = bench.dispatcher.figures()
          expect(completed + failed + expired + refused).toBe(all().reduce((sum, { fates }) => sum + fates.length, 0))
          for (const ask of all()) expect(ask.fates.length).toBeLessThanOrEqual(1)
        }
        device.deliver()
        clock.advanceSync(0)
        while (device.running !== undefined) {
          device.done()
          clock.advanceSync(0)
        }
        for (const camera of cameras) {
          for (const ask of camera.asks.values()) {
            if (!camera.left) expect(ask.fates.length).toBe(1)
            if (ask.fates[0] === 'ENG_EXPIRED') {
              const lateMs = ask.settledMs - ask.askedMs - ask.expiresInMs!
              expect(lateMs).toBeGreaterThanOrEqual(0)
              if (!stalled) expect(lateMs).toBe(0)
            }
            expect(['ok', 'ENG_POISON', 'ENG_EXPIRED', 'ENG_QUEUE_FULL', 'MDL_MISSING', undefined]).toContain(
              ask.fates[0],
            )
          }
        }
        expect(clock.pendingTimers).toBe(0)
        const { queueDepth, runningForMs } = bench.dispatcher.figures()
        expect({ queueDepth, runningForMs }).toEqual({ queueDepth: 0, runningForMs: null })
        expect(bench.picturesOut).toBe(0)
      }),
      { numRuns: 500 },
    )
  })
})
