/** opencv_zoo's YuNet of a fixed size beside the dynamic one, through the real engine: the same network, the same faces. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RgbPicture } from '../../core/frame.ts'
import { iou } from '../../core/geometry.ts'
import { EngineClient } from '../../models/engine-client.ts'
import { facesFromResult } from '../../models/yunet.ts'
import { assets, decodePicture, type EngineProcess, modelPath, startEngine } from './support/engine.ts'

const truth = 'detection_truth/dlib_faces'

describe.skipIf(!existsSync(assets))('YuNet of a fixed size', () => {
  let engine: EngineProcess
  let client: EngineClient

  beforeAll(async () => {
    const models = [
      { id: 'yunet', path: modelPath('yunet') },
      { id: 'yunet-2023mar', path: join(assets, 'models/yunet_s_640_640.onnx') },
    ]
    engine = await startEngine({ models })
    client = new EngineClient({ session: 'test', priority: 0, askDeadlineMs: 30_000 })
    client.setEndpoint(engine.endpoint)
  })
  afterAll(async () => {
    client.close()
    await engine.kill()
  })

  const detect = async (model: string, picture: RgbPicture) =>
    facesFromResult(await client.infer(model, picture, { scoreThreshold: 0.7 }))
  const pictures = () => readdirSync(join(assets, truth)).filter((name) => name.endsWith('.jpg'))

  test('finds the same faces in pictures that fit, to a fraction of a px', async () => {
    const apartPx: number[] = []
    for (const name of pictures()) {
      const picture = decodePicture(join(truth, name), 640)
      const [dynamic, fixed] = [await detect('yunet', picture), await detect('yunet-2023mar', picture)]
      expect(fixed.length, name).toBe(dynamic.length)
      for (const face of dynamic) {
        const same = fixed.toSorted((a, b) => iou(b.box, face.box) - iou(a.box, face.box))[0]!
        expect(Math.abs(same.score - face.score)).toBeLessThan(0.005)
        expect(iou(same.box, face.box)).toBeGreaterThan(0.9)
        const apart = face.landmarks.map(({ x, y }, at) =>
          Math.hypot(same.landmarks[at]!.x - x, same.landmarks[at]!.y - y),
        )
        apartPx.push(Math.max(...apart))
      }
    }
    // Padding reaches further in the fixed one, so cells near the border differ a little; of two cells that see the same
    // face almost as surely, another may win.
    apartPx.sort((a, b) => a - b)
    expect(apartPx.length).toBe(69)
    expect(apartPx.at(-2)).toBeLessThan(0.7)
    expect(apartPx.at(-1)).toBeLessThan(2)
  })

  test('a picture that is too large is made to fit, and its faces come in px of the picture', async () => {
    const picture = decodePicture(join(truth, 'bald_guys.jpg'), 1280)
    expect(Math.max(picture.width, picture.height)).toBeGreaterThan(640)
    const [dynamic, fixed] = [await detect('yunet', picture), await detect('yunet-2023mar', picture)]
    // The largest is found in both; small ones need not be.
    const [largest] = dynamic.toSorted((a, b) => b.box.width - a.box.width)
    expect(Math.max(...fixed.map(({ box }) => iou(box, largest!.box)))).toBeGreaterThan(0.8)
    expect(fixed.length).toBeGreaterThan(0)
  })

  test('requests of one batch that its file cannot take run one by one', async () => {
    const picture = decodePicture(join(truth, pictures()[0]!), 640)
    const alone = await client.infer('yunet-2023mar', picture, {})
    const together = await Promise.all([1, 2, 3, 4].map(() => client.infer('yunet-2023mar', picture, {})))
    for (const one of together) expect(one).toEqual(alone)
    const { figures } = await engine.message('heartbeat', (message) => (message.figures.completed ?? 0) >= 4)
    expect(figures.samples['yunet-2023mar']?.batchSizes.every((size) => size === 1) ?? true).toBe(true)
  })
})
