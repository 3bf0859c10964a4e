/** Wrong, truncated, swapped and mismatched model files through the real engine host: a code each, and the process ends. */
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { findModel } from '../../models/manifest.ts'
import type { ModelEntry } from '../../models/model-entry.ts'
import { assets, type EngineProcess, forkEngine, modelPath } from './support/engine.ts'

const folder = mkdtempSync(join(tmpdir(), 'model-faults-'))
const engines: EngineProcess[] = []
const yunet = findModel('yunet')
const embedder = findModel('face-reid-0095')
/** The same network with a fixed size; its name in the mirror. */
const fixedYunet = join(assets, 'models/yunet_s_640_640.onnx')

let written = 0

/** A file for the entry; its hash and size are those of the file unless `changes` says otherwise. */
function describedFile(entry: ModelEntry, bytes: Uint8Array, changes: object = {}) {
  const path = join(folder, `model-${++written}.onnx`)
  writeFileSync(path, bytes)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const own = { ...entry, id: 'own', file: `model-${written}.onnx`, bytes: bytes.length, sha256, ...changes }
  return { id: 'own', path, entry: own }
}

/** The entry's file, with bytes of its middle made NaN wherever a float32 begins. */
function withNan(): Buffer {
  const bytes = readFileSync(modelPath('face-reid-0095'))
  bytes.fill(0xff, bytes.length >> 1, (bytes.length >> 1) + 256)
  return bytes
}

const input = (entry: ModelEntry, changes: object) => ({ input: { ...entry.input, ...changes } })

interface Model {
  id: string
  path: string
  entry?: object
}

describe.skipIf(!existsSync(assets))('the engine host refuses', () => {
  beforeAll(() => copyFileSync(modelPath('yunet'), join(folder, embedder.file)))
  afterEach(async () => {
    for (const engine of engines.splice(0)) await engine.kill()
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test.for<[string, () => Model, string, RegExp]>([
    ['a file that is not there', () => ({ id: 'yunet', path: join(folder, 'none.onnx') }), 'MDL_MISSING', /none\.onnx/],
    [
      'a file with one bit changed',
      () => {
        const bytes = readFileSync(modelPath('yunet'))
        bytes[bytes.length >> 1]! ^= 1
        const path = join(folder, 'changed.onnx')
        writeFileSync(path, bytes)
        return { id: 'yunet', path }
      },
      'MDL_HASH',
      /changed\.onnx has SHA-256/,
    ],
    [
      'a file that was cut off',
      () => {
        const path = join(folder, 'cut.onnx')
        writeFileSync(path, readFileSync(modelPath('yunet')).subarray(0, 100_000))
        return { id: 'yunet', path }
      },
      'MDL_TRUNCATED',
      /cut\.onnx has 100000 of 237823 bytes/,
    ],
    [
      "a detector's file under an embedder's name",
      () => ({ id: 'face-reid-0095', path: join(folder, embedder.file) }),
      'MDL_SWAPPED',
      /should be face-reid-0095 and holds yunet \(face-detector\)/,
    ],
    [
      'a Git LFS pointer',
      () => {
        const path = join(folder, 'pointer.onnx')
        writeFileSync(
          path,
          `version https://git-lfs.github.com/spec/v1\noid sha256:${yunet.sha256}\nsize ${yunet.bytes}\n`,
        )
        return { id: 'yunet', path }
      },
      'MDL_POINTER',
      /Git LFS pointer/,
    ],
    ['what is no ONNX model', () => describedFile(yunet, Buffer.from('hello, world')), 'MDL_NOT_ONNX', /not an ONNX/],
    [
      'the first half of an ONNX model',
      () => describedFile(yunet, readFileSync(modelPath('yunet')).subarray(0, 100_000)),
      'MDL_NOT_ONNX',
      /not an ONNX/,
    ],
    [
      "a detector's network in an embedder's entry",
      () => describedFile(embedder, readFileSync(modelPath('yunet'))),
      'MDL_MISMATCH',
      /\[batch,dim,1\], not \[N,256\]/,
    ],
    [
      "an embedder's network in a detector's entry",
      () => describedFile(yunet, readFileSync(modelPath('face-reid-0095'))),
      'MDL_MISMATCH',
      /takes 128×128, not any size; it has no output cls_8/,
    ],
    [
      'another length of embeddings',
      () => describedFile(embedder, readFileSync(modelPath('face-reid-0095')), { dimension: 512 }),
      'MDL_MISMATCH',
      /256 numbers, not 512/,
    ],
    [
      'another crop size',
      () => describedFile(embedder, readFileSync(modelPath('face-reid-0095')), input(embedder, { fixedSidePx: 112 })),
      'MDL_MISMATCH',
      /takes 128×128, not 112/,
    ],
    [
      'a fixed batch that the entry does not state',
      () =>
        describedFile(
          findModel('yunet-2023mar'),
          readFileSync(fixedYunet),
          input(findModel('yunet-2023mar'), { maxBatch: 8 }),
        ),
      'MDL_MISMATCH',
      /batch is fixed at 1 \(maxBatch: 8\)/,
    ],
    [
      'a network that answers NaN',
      () => describedFile(embedder, withNan()),
      'MDL_OUTPUT',
      /own answers what is no number/,
    ],
  ])('%s', async ([, model, code, message]) => {
    const engine = forkEngine()
    engines.push(engine)
    engine.start({ models: [model()] })
    expect((await engine.message('failed')).error).toMatchObject({ code, message: expect.stringMatching(message) })
    expect((await engine.exited).code).toBe(1)
    expect(engine.messages.some(({ type }) => type === 'ready')).toBe(false)
  })

  test('and takes a model of a manifest of its own', async () => {
    const engine = forkEngine()
    engines.push(engine)
    engine.start({ models: [describedFile(embedder, readFileSync(modelPath('face-reid-0095')))] })
    expect((await engine.message('ready')).models).toEqual(['own'])
  })
})
