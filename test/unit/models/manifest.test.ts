import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { GrabberError } from '../../../core/errors.ts'
import { findModel, knownModels, loadManifest, localManifestPath, parseManifest } from '../../../models/manifest.ts'

const text = readFileSync(new URL('../../../models/manifest.json', import.meta.url), 'utf8')

function refusal(change: (manifest: { models: Record<string, unknown>[] }) => void): GrabberError {
  const manifest = JSON.parse(text)
  change(manifest)
  try {
    parseManifest(JSON.stringify(manifest))
  } catch (error) {
    if (error instanceof GrabberError) return error
  }
  throw new Error('the manifest was taken')
}

describe('the manifest', () => {
  test('every published file has addresses pinned to a commit, the first of them its source', () => {
    const ids = loadManifest().models.map(({ id }) => id)
    expect(ids).toEqual(
      expect.arrayContaining(['yunet', 'yunet-2023mar', 'face-reid-0095', 'sface', 'minifasnet-v2', 'minifasnet-v1se']),
    )
    for (const { urls, conversion, source } of loadManifest().models) {
      expect(urls.length > 0 || conversion !== null).toBe(true)
      for (const url of urls) expect(url).toMatch(/\/[0-9a-f]{40}\//)
      const { repository, commit, path } = source!
      if (urls[0]) expect(urls[0]).toContain(`${repository}/${commit}/${path}`)
    }
    expect(findModel('yunet').thresholds.detect?.value).toBe(0.7)
    expect(findModel('face-reid-0095').alignment?.cropPx).toBe(128)
  })

  test('an unknown model is MDL_INVALID, with the known ones', () => {
    const unknown = expect.objectContaining({ code: 'MDL_INVALID', remedy: expect.stringContaining('face-reid-0095') })
    expect(() => findModel('arcface')).toThrow(unknown)
  })

  test('names every problem with its path', () => {
    const error = refusal(({ models }) => {
      models[0]!.sha256 = 'beef'
      models[2]!.bytes = -1
      models[2]!.colour = 'RGB'
    })
    expect(error.code).toBe('MDL_INVALID')
    expect(error.message).toMatch(/models\.0\.sha256/)
    expect(error.message).toMatch(/models\.2\.bytes/)
    expect(error.message).toMatch(/colour/)
  })

  test.for<[string, RegExp, Record<string, unknown>]>([
    ['an id twice', /used twice/, { id: 'yunet' }],
    ['an embedder without a template', /alignment/, { alignment: null }],
    ['a conversion that says nothing', /conversion/, { conversion: null }],
    ['a file in another folder', /file/, { file: '../evil.onnx' }],
    ['an address without encryption', /urls/, { urls: ['http://example.org/a.onnx'] }],
    ['an address that only begins like this machine', /urls/, { urls: ['http://localhost.example.org/a.onnx'] }],
    [
      'a scale of nothing',
      /scale/,
      { input: { shape: '', dtype: 'float32', colour: 'RGB', scale: 0, fixedSidePx: 1 } },
    ],
  ])('refuses %s', ([, pattern, change]) => {
    expect(refusal(({ models }) => Object.assign(models[2]!, change)).message).toMatch(pattern)
  })

  test('refuses what is not JSON', () => {
    expect(() => parseManifest('{')).toThrow(expect.objectContaining({ code: 'MDL_INVALID' }))
  })
})

describe("the user's own manifest", () => {
  const folder = mkdtempSync(join(tmpdir(), 'manifest-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  /** The least that an entry has to say. */
  const own = {
    id: 'my-arcface',
    kind: 'face-embedder',
    file: 'w600k_mbf.onnx',
    sha256: '9'.repeat(64),
    bytes: 13616099,
    licence: { spdx: 'LicenseRef-InsightFace', notice: 'non-commercial research only' },
    input: {
      shape: '[N,3,112,112]',
      dtype: 'float32',
      colour: 'RGB',
      mean: [127.5, 127.5, 127.5],
      scale: 0.00784313725,
      fixedSidePx: 112,
    },
    alignment: { cropPx: 112, template: [[0.3, 0.5], [0.7, 0.5], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]] }, // biome-ignore format: as it is written
    output: 'embedding',
    dimension: 512,
    thresholds: { match: { value: 0.4, calibration: 'a guess' } },
  }
  const write = (...models: object[]) => {
    writeFileSync(localManifestPath(folder), JSON.stringify({ version: 1, models }))
  }

  test('adds its models behind those of the program, unverified', () => {
    expect(knownModels(folder).length).toBe(loadManifest().models.length)
    write(own)
    const known = knownModels(folder)
    expect(known.length).toBe(loadManifest().models.length + 1)
    expect(known.at(-1)).toMatchObject({
      manifest: localManifestPath(folder),
      entry: { id: 'my-arcface', urls: [], verification: { status: 'unverified' }, input: { maxBatch: null } },
    })
  })

  test.for<[string, object, RegExp]>([
    ['the id of a known model', { ...own, id: 'sface' }, /sface has the id or the file of sface/],
    ['the file of a known model', { ...own, file: 'yunet_s_dynamic.onnx' }, /my-arcface has .* yunet/],
    ['an entry that says too little', { ...own, alignment: null }, /manifest\.local\.json has errors: .*alignment/],
  ])('%s is MDL_INVALID', ([, entry, message]) => {
    write(entry)
    expect(() => knownModels(folder)).toThrow(
      expect.objectContaining({ code: 'MDL_INVALID', message: expect.stringMatching(message) }),
    )
  })
})

test('the example of docs/models.md is a manifest', () => {
  const page = readFileSync(new URL('../../../docs/models.md', import.meta.url), 'utf8')
  const example = /```json\n([\s\S]*?)```/.exec(page)?.[1]
  expect(parseManifest(example!).models[0]).toMatchObject({ id: 'arcface-mbf', verification: { status: 'unverified' } })
})
