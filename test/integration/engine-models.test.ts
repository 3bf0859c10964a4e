/** Models that misbehave, and models that are changed while the engine serves. */
import { createHash } from 'node:crypto'
import { appendFileSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { EngineModelSpec } from '../../core/wire/engine-control.ts'
import { EngineClient } from '../../models/engine-client.ts'
import { type EngineProcess, forkEngine, modelPath, startEngine, until } from './support/engine.ts'
import { plain, tinyModel } from './support/tiny-model.ts'

const engines: EngineProcess[] = []
const clients: EngineClient[] = []
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'models-'))
})

afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  for (const engine of engines.splice(0)) await engine.kill()
  rmSync(folder, { recursive: true, force: true })
})

async function running(models: EngineModelSpec[], options = {}): Promise<EngineProcess> {
  const engine = await startEngine({ models, ...options })
  engines.push(engine)
  return engine
}

function clientOf(engine: EngineProcess, session = 'test'): EngineClient {
  const client = new EngineClient({ session, priority: 1, askDeadlineMs: 60_000 })
  clients.push(client)
  client.setEndpoint(engine.endpoint)
  return client
}

let requests = 0

/** Asks for another set and waits for the answer. */
async function swap(engine: EngineProcess, models: EngineModelSpec[]) {
  const requestId = ++requests
  const { incarnation } = engine.endpoint
  engine.send({ type: 'models', incarnation, requestId, models })
  const mine = (message: { requestId: number }) => message.requestId === requestId
  return Promise.race([engine.message('models.ready', mine), engine.message('models.failed', mine)])
}

const colour = plain(200, 100, 220)
/** As the engine packs them: B, G, R; L2-normalised. */
const expected = (sign: number) => [220, 100, 200].map((value) => (sign * value) / Math.hypot(220, 100, 200))

async function answer(client: EngineClient, id: string): Promise<number[]> {
  return [...(await client.infer(id, colour, {})).data]
}

describe('a model that answers no numbers', () => {
  test('never, at its first run already: MDL_OUTPUT, and the engine is not ready', async () => {
    const engine = forkEngine()
    engines.push(engine)
    engine.start({ models: [tinyModel(folder, 'tiny', 'nan')] })
    expect((await engine.message('failed')).error).toMatchObject({
      code: 'MDL_OUTPUT',
      message: expect.stringMatching(/tiny answers what is no number/),
    })
    expect((await engine.exited).code).toBe(1)
    expect(engine.messages.some(({ type }) => type === 'ready')).toBe(false)
  })

  test('later, for one picture: that request is poison, those in its batch are served', async () => {
    const engine = await running([tinyModel(folder, 'tiny', 'nan-when-dark')])
    const client = clientOf(engine)
    const pictures = [colour, plain(200, 10, 200), colour, plain(90, 90, 90)]
    const answers = await Promise.allSettled(pictures.map((picture) => client.infer('tiny', picture, {})))
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
    expect(answers[1]).toMatchObject({
      reason: { code: 'ENG_POISON', message: expect.stringMatching(/not finite/) },
    })
    await engine.message('heartbeat', ({ figures }) => figures.completed === 3 && figures.failed === 1)
  })

  test('a file that the hash knows and the runtime does not: MDL_NOT_ONNX', async () => {
    const spec = tinyModel(folder, 'tiny', 'mean')
    const garbage = Buffer.from('this is no model at all')
    writeFileSync(spec.path, garbage)
    const sha256 = createHash('sha256').update(garbage).digest('hex')
    const engine = forkEngine()
    engines.push(engine)
    engine.start({ models: [{ ...spec, entry: { ...spec.entry, sha256, bytes: garbage.length } }] })
    expect((await engine.message('failed')).error.code).toBe('MDL_NOT_ONNX')
  })

  test('rows that do not fit the pictures are no answer; alone they do', async () => {
    const engine = await running([tinyModel(folder, 'tiny', 'one-row')])
    const client = clientOf(engine)
    const answers = await Promise.all(Array.from({ length: 6 }, () => answer(client, 'tiny')))
    for (const one of answers) for (const [n, value] of one.entries()) expect(value).toBeCloseTo(expected(1)[n]!, 5)
    await engine.message('heartbeat', ({ figures }) => figures.completed === 6 && figures.models.tiny!.batchCap < 8)
  })
})

describe('a model whose batch is fixed at 1', () => {
  test('never gets more, however many wait', async () => {
    const engine = await running([tinyModel(folder, 'tiny', 'mean', 1)])
    const clientsOfMany = [1, 2, 3, 4].map((n) => clientOf(engine, `cam${n}`))
    await Promise.all(clientsOfMany.flatMap((client) => Array.from({ length: 8 }, () => answer(client, 'tiny'))))
    const sizes: number[] = []
    await until('all batches in the figures', () => {
      sizes.length = 0
      for (const message of engine.messages) {
        if (message.type === 'heartbeat') sizes.push(...(message.figures.samples.tiny?.batchSizes ?? []))
      }
      return sizes.length === 32
    })
    expect(new Set(sizes)).toEqual(new Set([1]))
  })
})

describe('another set of models', () => {
  test('serves the new, keeps the kept, knows the removed no more', async () => {
    const kept = { id: 'yunet', path: modelPath('yunet') }
    const engine = await running([kept, tinyModel(folder, 'old', 'mean')])
    const client = clientOf(engine)
    expect((await answer(client, 'old'))[0]).toBeCloseTo(expected(1)[0]!, 5)
    // The kept model's file is gone: it is not read again.
    const gone = { id: 'yunet', path: join(folder, 'nowhere.onnx') }
    const ready = await swap(engine, [gone, tinyModel(folder, 'new', 'opposite')])
    expect(ready).toMatchObject({ type: 'models.ready', models: ['yunet', 'new'] })
    expect((await answer(client, 'new'))[0]).toBeCloseTo(expected(-1)[0]!, 5)
    expect((await client.infer('yunet', colour, {})).columns).toBe(15)
    await expect(client.infer('old', colour, {})).rejects.toMatchObject({ code: 'MDL_MISSING' })
    const beat = await engine.message('heartbeat', ({ figures }) => figures.models.new !== undefined)
    expect(Object.keys(beat.figures.models)).toEqual(['yunet', 'new'])
  })

  test('two versions of one id, again and again under load: every request is answered once, by one of them', async () => {
    const first = tinyModel(folder, 'tiny', 'mean')
    const second = tinyModel(folder, 'tiny', 'opposite')
    const engine = await running([first])
    const clientsOfLoad = [1, 2, 3].map((n) => clientOf(engine, `cam${n}`))
    let swapping = true
    let asked = 0
    const signs: number[] = []
    const load = clientsOfLoad.map(async (client) => {
      while (swapping) {
        const batch = Array.from({ length: 4 }, () => answer(client, 'tiny'))
        asked += batch.length
        for (const [value] of await Promise.all(batch)) signs.push(Math.sign(value!))
      }
    })
    for (let n = 0; n < 10; n++) {
      const to = n % 2 === 0 ? second : first
      expect(await swap(engine, [to])).toMatchObject({ type: 'models.ready', models: ['tiny'] })
      // What is asked from now on is answered by the new one.
      expect(Math.sign((await answer(clientsOfLoad[0]!, 'tiny'))[0]!)).toBe(n % 2 === 0 ? -1 : 1)
    }
    swapping = false
    await Promise.all(load)
    expect(signs.length).toBe(asked)
    expect(new Set(signs)).toEqual(new Set([1, -1]))
    const beat = await engine.message('heartbeat', ({ figures }) => figures.completed === asked + 10)
    expect(beat.figures).toMatchObject({ failed: 0, expired: 0, refused: 0 })
  })

  test('one that is not usable leaves everything as it was', async () => {
    const old = tinyModel(folder, 'old', 'mean')
    const engine = await running([old])
    const client = clientOf(engine)
    const damaged = tinyModel(folder, 'new', 'opposite')
    const path = join(folder, 'damaged.onnx')
    copyFileSync(damaged.path, path)
    appendFileSync(path, 'x')
    const cases: [EngineModelSpec[], string][] = [
      [[{ ...damaged, path: join(folder, 'absent.onnx') }], 'MDL_MISSING'],
      [[{ ...damaged, path }], 'MDL_HASH'],
      [[damaged, tinyModel(folder, 'bad', 'nan')], 'MDL_OUTPUT'],
      [[{ id: 'unheard-of', path }], 'MDL_INVALID'],
      [[old, old], 'MDL_INVALID'],
      [[{ ...damaged, id: 'other' }], 'MDL_INVALID'],
    ]
    for (const [models, code] of cases) {
      expect(await swap(engine, models)).toMatchObject({ type: 'models.failed', error: { code } })
      expect((await answer(client, 'old'))[0]).toBeCloseTo(expected(1)[0]!, 5)
      await expect(client.infer('new', colour, {})).rejects.toMatchObject({ code: 'MDL_MISSING' })
    }
    expect(await swap(engine, [damaged])).toMatchObject({ type: 'models.ready' })
    expect((await answer(client, 'new'))[0]).toBeCloseTo(expected(-1)[0]!, 5)
    expect(readFileSync(path).length).toBeGreaterThan(0)
  })
})
