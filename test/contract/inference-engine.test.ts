/** What every InferenceEngine has to do, whoever implements it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { InferenceEngine } from '../../core/ports.ts'
import { EngineClient } from '../../models/engine-client.ts'
import { type EngineProcess, startEngine } from '../integration/support/engine.ts'

interface Subject {
  name: string
  open: () => Promise<{ engine: InferenceEngine; close: () => Promise<void> }>
}

const subjects: Subject[] = [
  {
    name: 'EngineClient with an engine host',
    async open() {
      const host: EngineProcess = await startEngine({ credits: 4 })
      const client = new EngineClient({ session: 'contract', priority: 0, askDeadlineMs: 30_000 })
      client.setEndpoint(host.endpoint)
      const close = async () => {
        client.close()
        await host.kill('SIGTERM')
      }
      return { engine: client, close }
    },
  },
]

describe.each(subjects)('$name', ({ open }) => {
  let engine: InferenceEngine
  let close: () => Promise<void>

  beforeAll(async () => {
    ;({ engine, close } = await open())
  })
  afterAll(() => close())

  const crop = (value: number) => ({
    width: 128,
    height: 128,
    data: Uint8Array.from({ length: 3 * 128 * 128 }, (_, n) => (n * value) % 256),
  })

  test('answers rows × columns of float32 that the caller owns', async () => {
    const first = await engine.infer('face-reid-0095', crop(3), {})
    expect(first).toMatchObject({ rows: 1, columns: 256 })
    expect(first.data).toBeInstanceOf(Float32Array)
    expect(first.data.length).toBe(256)
    const kept = first.data.slice()
    first.data.fill(0)
    expect((await engine.infer('face-reid-0095', crop(3), {})).data).toEqual(kept)
  })

  test('no face is no row, not an error', async () => {
    const grey = { width: 100, height: 50, data: new Uint8Array(3 * 100 * 50).fill(90) }
    expect(await engine.infer('yunet', grey, {})).toMatchObject({ rows: 0, columns: 15 })
  })

  test('leaves the picture as it was', async () => {
    const picture = crop(5)
    await engine.infer('face-reid-0095', picture, {})
    expect(picture.data).toEqual(crop(5).data)
  })

  test('answers each of many concurrent requests with its own result', async () => {
    const values = Array.from({ length: 20 }, (_, n) => n + 1)
    const alone = []
    for (const value of values) alone.push(await engine.infer('face-reid-0095', crop(value), {}))
    const together = await Promise.all(values.map((value) => engine.infer('face-reid-0095', crop(value), {})))
    expect(together).toEqual(alone)
    expect(together[0]).not.toEqual(together[1])
  })

  test.for<[string, string, number, string]>([
    ['an unknown model', 'nothing', 128, 'MDL_MISSING'],
    ['a picture that the model cannot take', 'face-reid-0095', 64, 'ENG_PROTOCOL'],
  ])('rejects %s with a code, and goes on', async ([, model, side, code]) => {
    const picture = { width: side, height: side, data: new Uint8Array(3 * side * side) }
    await expect(engine.infer(model, picture, {})).rejects.toMatchObject({ name: 'GrabberError', code })
    expect((await engine.infer('face-reid-0095', crop(1), {})).rows).toBe(1)
  })

  test('rejects a picture without the bytes of its size', async () => {
    const short = { width: 128, height: 128, data: new Uint8Array(10) }
    await expect(engine.infer('face-reid-0095', short, {})).rejects.toMatchObject({ code: 'ENG_PROTOCOL' })
  })
})
