/** The engine host as the daemon starts it, on the real models: what it finds, and that it answers alike in a batch. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RgbPicture } from '../../core/frame.ts'
import { type Box, invertAffine, iou } from '../../core/geometry.ts'
import { similarityTransform, templatePoints, warpRgb } from '../../models/align.ts'
import { EngineClient } from '../../models/engine-client.ts'
import { findModel } from '../../models/manifest.ts'
import { facesFromResult } from '../../models/yunet.ts'
import { assets, cut, decodePicture, type EngineProcess, modelPath, startEngine } from './support/engine.ts'

let engine: EngineProcess
let client: EngineClient

beforeAll(async () => {
  engine = await startEngine()
  client = new EngineClient({ session: 'test', priority: 0, askDeadlineMs: 30_000 })
  client.setEndpoint(engine.endpoint)
})

afterAll(async () => {
  client.close()
  engine.send({ type: 'stop', incarnation: engine.endpoint.incarnation })
  expect(await engine.exited).toEqual({ code: 0, signal: null })
})

async function detect(picture: RgbPicture) {
  return facesFromResult(await client.infer('yunet', picture, { scoreThreshold: 0.7 }))
}

/** The aligned crop of the picture's best face. */
async function bestCrop(file: string): Promise<RgbPicture> {
  const picture = decodePicture(file, 1280)
  const face = (await detect(picture))[0]
  if (face === undefined) throw new Error(`no face in ${file}`)
  const { template, cropPx } = findModel('face-reid-0095').alignment!
  const toCrop = similarityTransform(face.landmarks, templatePoints(template, cropPx))
  return warpRgb(picture, invertAffine(toCrop)!, cropPx)
}

async function embed(crop: RgbPicture): Promise<Float32Array> {
  return (await client.infer('face-reid-0095', crop, {})).data
}

function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * b[index]!, 0)
}

const people = 'faces/face_recognition/knn_examples'

interface Truth {
  file: string
  boxes: { box: Box; ignored: boolean }[]
}

function readTruth(xml: string): Truth[] {
  const text = readFileSync(join(assets, 'detection_truth/dlib_faces', xml), 'utf8')
  return [...text.matchAll(/<image file='([^']+)'[^>]*>([\s\S]*?)<\/image>/g)].map(([, file, body]) => ({
    file: file!,
    boxes: [...body!.matchAll(/<box ([^>]*)>/g)].map(([, attributes]) => {
      const value = (name: string) => Number(new RegExp(`${name}='(-?\\d+)'`).exec(attributes!)?.[1])
      const box = { x: value('left'), y: value('top'), width: value('width'), height: value('height') }
      return { box, ignored: /ignore='1'/.test(attributes!) }
    }),
  }))
}

describe('detection', () => {
  test('finds at least 42 of 43 labelled faces and nothing else', async () => {
    let [expected, found, unmatched] = [0, 0, 0]
    for (const { file, boxes } of [...readTruth('testing.xml'), ...readTruth('training.xml')]) {
      const picture = decodePicture(`detection_truth/dlib_faces/${file}`, 1280)
      const full = decodePicture(`detection_truth/dlib_faces/${file}`)
      const scale = picture.width / full.width
      const faces = await detect(picture)
      const truth = boxes.map(({ box, ignored }) => ({
        ignored,
        box: { x: box.x * scale, y: box.y * scale, width: box.width * scale, height: box.height * scale },
      }))
      const hit = (box: Box) => faces.some((face) => iou(face.box, box) > 0.3)
      expected += truth.filter(({ ignored }) => !ignored).length
      found += truth.filter(({ ignored, box }) => !ignored && hit(box)).length
      unmatched += faces.filter((face) => !truth.some(({ box }) => iou(face.box, box) > 0.3)).length
    }
    expect(expected).toBe(43)
    expect(found).toBeGreaterThanOrEqual(42)
    expect(unmatched).toBe(0)
  })

  test.for(['dog', 'eagle', 'giraffe', 'horses', 'scream'])('finds no face in the %s', async (name) => {
    expect(await detect(decodePicture(`negatives/dlib_${name}.jpg`, 1280))).toEqual([])
  })

  test('landmarks lie on the face, the left eye on the left', async () => {
    const [face] = await detect(decodePicture(`${people}/train/obama/obama.jpg`, 1280))
    const { box, landmarks } = face!
    for (const point of landmarks) {
      expect(point.x).toBeGreaterThan(box.x)
      expect(point.x).toBeLessThan(box.x + box.width)
      expect(point.y).toBeGreaterThan(box.y)
      expect(point.y).toBeLessThan(box.y + box.height)
    }
    const [leftEye, rightEye, nose, leftMouth] = landmarks
    expect(leftEye.x).toBeLessThan(rightEye.x)
    expect(leftEye.y).toBeLessThan(nose.y)
    expect(nose.y).toBeLessThan(leftMouth.y)
  })

  test('a batch of 8 equals single runs bit by bit', async () => {
    const picture = decodePicture('coco_val/000000000785.jpg', 640)
    const parts = Array.from({ length: 8 }, (_, n) => cut(picture, n * 8, 4 * n, 320, 180))
    const params = { scoreThreshold: 0.05 }
    const single = []
    for (const part of parts) single.push(await client.infer('yunet', part, params))
    // The device is busy with the first while the rest arrive, so that they share batches.
    const together = await Promise.all(parts.map((part) => client.infer('yunet', part, params)))
    expect(together).toEqual(single)
    expect(single.some((result) => result.rows > 0)).toBe(true)
    const beat = await engine.message('heartbeat', ({ figures }) =>
      Boolean(figures.samples.yunet?.batchSizes.some((size) => size > 1)),
    )
    expect(beat.figures.runningForMs === null || beat.figures.runningForMs >= 0).toBe(true)
  })
})

describe('embedding', () => {
  test('equals a bare run of the model on the same crop', async () => {
    const crop = await bestCrop(`${people}/train/obama/obama.jpg`)
    const embedding = await embed(crop)
    const script = `
      const ort = require('onnxruntime-node')
      const crop = Buffer.from(process.argv[2], 'base64')
      const plane = 128 * 128
      const input = new Float32Array(3 * plane)
      for (let p = 0; p < plane; p++) for (let c = 0; c < 3; c++) input[c * plane + p] = crop[(2 - c) * plane + p]
      ort.InferenceSession.create(process.argv[1], { intraOpNumThreads: 1 })
        .then((session) => session.run({ input: new ort.Tensor('float32', input, [1, 3, 128, 128]) }))
        .then(({ embedding }) => process.stdout.write(JSON.stringify([...embedding.data])))`
    const base64 = Buffer.from(crop.data).toString('base64')
    const bare: number[] = JSON.parse(
      execFileSync(process.execPath, ['-e', script, modelPath('face-reid-0095'), base64], { encoding: 'utf8' }),
    )
    const norm = Math.hypot(...bare)
    expect(embedding.length).toBe(256)
    for (const [index, value] of embedding.entries()) expect(Math.abs(value - bare[index]! / norm)).toBeLessThan(1e-4)
    expect(Math.abs(cosine(embedding, embedding) - 1)).toBeLessThan(1e-5)
  })

  test('a batch of 8 equals single runs bit by bit', async () => {
    const picture = decodePicture('coco_val/000000000785.jpg', 640)
    const crops = Array.from({ length: 8 }, (_, n) => cut(picture, n * 20, 10 * n, 128, 128))
    const single = []
    for (const crop of crops) single.push(await embed(crop))
    expect(await Promise.all(crops.map(embed))).toEqual(single)
  })

  test('tells people apart', async () => {
    const gallery = {
      obama: await embed(await bestCrop(`${people}/train/obama/obama.jpg`)),
      biden: await embed(await bestCrop(`${people}/train/biden/biden2.jpg`)),
      lacamoire: await embed(await bestCrop(`${people}/train/alex_lacamoire/img1.jpg`)),
      harington: await embed(await bestCrop(`${people}/train/kit_harington/john1.jpeg`)),
    }
    const probes = {
      obama: `${people}/test/obama1.jpg`,
      lacamoire: `${people}/test/alex_lacamoire1.jpg`,
      harington: `${people}/test/johnsnow_test1.jpg`,
      biden: `${people}/train/biden/biden.jpg`,
    }
    for (const [name, file] of Object.entries(probes)) {
      const probe = await embed(await bestCrop(file))
      const ranked = Object.entries(gallery)
        .map(([subject, embedding]) => ({ subject, similarity: cosine(probe, embedding) }))
        .sort((a, b) => b.similarity - a.similarity)
      expect(ranked[0]!.subject).toBe(name)
      expect(ranked[0]!.similarity).toBeGreaterThan(0.5)
      expect(ranked[1]!.similarity).toBeLessThan(0.5)
    }
  })
})
