import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findModel } from '../../../models/manifest.ts'
import type { ModelEntry } from '../../../models/model-entry.ts'
import { readVerified, verifyModel } from '../../../models/model-files.ts'

const content = Buffer.from('a small model, in several chunks'.repeat(10_000))
const sha256 = createHash('sha256').update(content).digest('hex')
const entry: ModelEntry = { ...findModel('yunet'), file: 'one.onnx', bytes: content.length, sha256 }
const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize ${content.length}\n`

let modelsDir: string
let path: string
beforeEach(() => {
  modelsDir = mkdtempSync(join(tmpdir(), 'models-'))
  path = join(modelsDir, 'one.onnx')
})
afterEach(() => rmSync(modelsDir, { recursive: true, force: true }))

describe('a model file', () => {
  test('is taken when it is the one that the manifest means', async () => {
    writeFileSync(path, content)
    await verifyModel(modelsDir, entry)
    expect(await readVerified(path, entry)).toEqual(content)
  })

  test.for<[string, string | Buffer | null, string, string | RegExp]>([
    ['is absent', null, 'MDL_MISSING', /one\.onnx/],
    ['was cut off', content.subarray(0, 1000), 'MDL_TRUNCATED', `one.onnx has 1000 of ${content.length} bytes`],
    ['is empty', '', 'MDL_TRUNCATED', `one.onnx has 0 of ${content.length} bytes`],
    ['stands for the file', pointer, 'MDL_POINTER', /Git LFS pointer/],
    [
      'has one bit changed',
      Buffer.concat([content.subarray(1), Buffer.from('!')]),
      'MDL_HASH',
      /one\.onnx has SHA-256 [0-9a-f]{12}…, expected [0-9a-f]{12}…/,
    ],
    ['is longer', Buffer.concat([content, Buffer.from('!')]), 'MDL_HASH', /SHA-256/],
  ])('that %s has its own code', async ([, data, code, message]) => {
    if (data !== null) writeFileSync(path, data)
    const refused = { code, message: typeof message === 'string' ? message : expect.stringMatching(message) }
    await expect(verifyModel(modelsDir, entry)).rejects.toMatchObject(refused)
    await expect(readVerified(path, entry)).rejects.toMatchObject(refused)
  })

  test('that is a folder is missing', async () => {
    mkdirSync(path)
    await expect(verifyModel(modelsDir, entry)).rejects.toMatchObject({ code: 'MDL_MISSING' })
    expect(() => readFileSync(path)).toThrow()
  })
})
