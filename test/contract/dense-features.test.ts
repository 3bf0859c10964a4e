/** What every model of dense features has to do, whatever its network: XFeat's map, and the tokens of a vision transformer. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RgbPicture } from '../../core/frame.ts'
import { type DenseView, viewFromResult } from '../../models/dense-features.ts'
import { EngineClient } from '../../models/engine-client.ts'
import { findModel } from '../../models/manifest.ts'
import { decodePicture, type EngineProcess, modelPath, startEngine } from '../integration/support/engine.ts'
import { standInVit, VIT } from '../integration/support/stand-in-vit.ts'

let host: EngineProcess
let client: EngineClient
const folder = mkdtempSync(join(tmpdir(), 'dense-'))

beforeAll(async () => {
  const models = [
    { id: 'xfeat', path: modelPath('xfeat') },
    standInVit(folder, 'vit'),
    standInVit(folder, 'vit-fixed', 224),
  ]
  host = await startEngine({ models })
  client = new EngineClient({ session: 'contract', priority: 0, askDeadlineMs: 60_000 })
  client.setEndpoint(host.endpoint)
})

afterAll(async () => {
  client.close()
  await host.kill('SIGTERM')
  rmSync(folder, { recursive: true, force: true })
})

const plain = (width: number, height: number, value: (x: number, y: number) => number): RgbPicture => {
  const plane = width * height
  const data = new Uint8Array(3 * plane)
  for (let i = 0; i < 3 * plane; i++) data[i] = value(i % width, Math.floor((i % plane) / width))
  return { width, height, data }
}

const subjects = [
  { id: 'xfeat', dimension: findModel('xfeat').dimension! },
  { id: 'vit', dimension: VIT.dimension },
  { id: 'vit-fixed', dimension: VIT.dimension },
]

describe.each(subjects)('$id', ({ id, dimension }) => {
  const view = async (picture: RgbPicture): Promise<DenseView> => viewFromResult(await client.infer(id, picture, {}))
  const cosine = (a: DenseView, b: DenseView) =>
    a.descriptor.reduce((sum, value, k) => sum + value * b.descriptor[k]!, 0)
  const square = decodePicture('sfm/lund/images/01.jpg', 320)
  const grey = plain(320, 240, () => 128)

  test('answers one row: three numbers in their ranges and a unit descriptor', async () => {
    const result = await client.infer(id, square, {})
    expect(result).toMatchObject({ rows: 1, columns: 3 + dimension })
    const { richness, effectiveRank, spread, descriptor } = viewFromResult(result)
    for (const ratio of [richness, spread]) expect(ratio >= 0 && ratio <= 1).toBe(true)
    expect(effectiveRank).toBeGreaterThan(1)
    expect(effectiveRank).toBeLessThanOrEqual(dimension)
    expect(Math.hypot(...descriptor)).toBeCloseTo(1, 5)
  })

  test('a photograph is richer than a grey wall and than one slope', async () => {
    const photograph = await view(square)
    for (const poor of [grey, plain(320, 240, (x) => (x * 255) / 320)]) {
      expect((await view(poor)).richness).toBeLessThan(0.6 * photograph.richness)
    }
  })

  test('two views of one place are more alike than two places', async () => {
    const [here, near, elsewhere] = await Promise.all([
      view(square),
      view(decodePicture('sfm/lund/images/02.jpg', 320)),
      view(decodePicture('negatives/dlib_dog.jpg', 320)),
    ])
    expect(cosine(here!, near!)).toBeGreaterThan(cosine(here!, elsewhere!))
  })

  test.each([
    [320, 180],
    [101, 75],
    [33, 200],
    [5, 5],
  ])('takes %d×%d', async (width, height) => {
    const found = await view(plain(width, height, (x, y) => (x * 7 + y * 13) % 256))
    expect(Number.isFinite(found.richness)).toBe(true)
  })

  test('the same picture gives the same bytes, alone and among others', async () => {
    const alone = await client.infer(id, square, {})
    const together = await Promise.all([square, { ...square }, square].map((picture) => client.infer(id, picture, {})))
    for (const one of together) expect(one.data).toEqual(alone.data)
  })
})

test('what is no view is ENG_PROTOCOL', () => {
  const wrong = { rows: 2, columns: 15, data: new Float32Array(30) }
  expect(() => viewFromResult(wrong)).toThrow(expect.objectContaining({ code: 'ENG_PROTOCOL' }))
})
