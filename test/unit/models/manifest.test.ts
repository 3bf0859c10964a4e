import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { GrabberError } from '../../../core/errors.ts'
import { findModel, loadManifest, parseManifest } from '../../../models/manifest.ts'

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
  test('has both models, and every published file has an address pinned to its commit', () => {
    const ids = loadManifest().models.map(({ id }) => id)
    expect(ids).toEqual(['yunet', 'face-reid-0095', 'minifasnet-v2', 'minifasnet-v1se'])
    for (const entry of loadManifest().models) {
      expect(entry.urls.length > 0 || entry.conversion !== null).toBe(true)
      for (const url of entry.urls) {
        expect(url).toContain(`${entry.source.repository}/${entry.source.commit}/${entry.source.path}`)
      }
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
      models[1]!.bytes = -1
      models[1]!.colour = 'RGB'
    })
    expect(error.code).toBe('MDL_INVALID')
    expect(error.message).toMatch(/models\.0\.sha256/)
    expect(error.message).toMatch(/models\.1\.bytes/)
    expect(error.message).toMatch(/colour/)
  })

  test.for<[string, RegExp, Record<string, unknown>]>([
    ['an id twice', /used twice/, { id: 'yunet' }],
    ['an embedder without a template', /alignment/, { alignment: null }],
    ['a conversion that says nothing', /conversion/, { conversion: null }],
    ['a file in another folder', /file/, { file: '../evil.onnx' }],
    ['an address without encryption', /urls/, { urls: ['http://example.org/a.onnx'] }],
  ])('refuses %s', ([, pattern, change]) => {
    expect(refusal(({ models }) => Object.assign(models[1]!, change)).message).toMatch(pattern)
  })

  test('refuses what is not JSON', () => {
    expect(() => parseManifest('{')).toThrow(expect.objectContaining({ code: 'MDL_INVALID' }))
  })
})
