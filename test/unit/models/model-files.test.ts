import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findModel, type ModelEntry, pullModel, readVerified, verifyModel } from '../../../models/manifest.ts'

const content = Buffer.from('a small model, in several chunks'.repeat(10_000))
const sha256 = createHash('sha256').update(content).digest('hex')
const url = 'https://models.example/one.onnx'
const entry: ModelEntry = { ...findModel('yunet'), file: 'one.onnx', bytes: content.length, sha256, urls: [url] }

let root: string
let modelsDir: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'models-'))
  modelsDir = join(root, 'installed')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const put = (path: string, data: Uint8Array | string) => {
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, data)
}
const answering = (body: Uint8Array<ArrayBuffer>, status = 200) => {
  const asked: string[] = []
  const fetch = async (input: string | URL | Request) => {
    asked.push(String(input))
    return new Response(body, { status })
  }
  return { asked, fetch }
}
const bytes = (text: string) => new Uint8Array(Buffer.from(text))

describe('verifyModel', () => {
  test('takes the file that the manifest means', async () => {
    put(join(modelsDir, 'one.onnx'), content)
    await verifyModel(modelsDir, entry)
    expect(await readVerified(join(modelsDir, 'one.onnx'), entry)).toEqual(content)
  })

  test('MDL_MISSING names the path', async () => {
    const missing = { code: 'MDL_MISSING', message: expect.stringContaining('one.onnx') }
    await expect(verifyModel(modelsDir, entry)).rejects.toMatchObject(missing)
    await expect(readVerified(join(modelsDir, 'one.onnx'), entry)).rejects.toMatchObject(missing)
  })

  test('MDL_HASH names the file, what it has and what it should have', async () => {
    put(join(modelsDir, 'one.onnx'), 'another')
    const found = createHash('sha256').update('another').digest('hex')
    const message = `one.onnx has SHA-256 ${found.slice(0, 12)}…, expected ${sha256.slice(0, 12)}…`
    await expect(verifyModel(modelsDir, entry)).rejects.toMatchObject({ code: 'MDL_HASH', message })
    await expect(readVerified(join(modelsDir, 'one.onnx'), entry)).rejects.toMatchObject({ code: 'MDL_HASH', message })
  })
})

describe('pullModel', () => {
  test('leaves a good file alone', async () => {
    put(join(modelsDir, 'one.onnx'), content)
    const { asked, fetch } = answering(new Uint8Array(content))
    expect(await pullModel(entry, { modelsDir, fetch })).toEqual({ path: join(modelsDir, 'one.onnx'), from: null })
    expect(asked).toEqual([])
  })

  test.for(['models/one.onnx', 'one.onnx'])('finds %s in a mirror, without the network', async (where) => {
    const mirrorDir = join(root, 'mirror')
    put(join(mirrorDir, where), content)
    const { asked, fetch } = answering(new Uint8Array(content))
    const progress: number[] = []
    const onProgress = (received: number, total: number) => progress.push(received / total)
    expect((await pullModel(entry, { modelsDir, mirrorDir, fetch, onProgress })).from).toBe(join(mirrorDir, where))
    expect(readFileSync(join(modelsDir, 'one.onnx'))).toEqual(content)
    expect(asked).toEqual([])
    expect(progress.at(-1)).toBe(1)
    expect(progress.length).toBeGreaterThan(1)
  })

  test('fetches, replacing a damaged file', async () => {
    put(join(modelsDir, 'one.onnx'), 'damaged')
    const { asked, fetch } = answering(new Uint8Array(content))
    expect((await pullModel(entry, { modelsDir, mirrorDir: root, fetch })).from).toBe(url)
    expect(asked).toEqual([url])
    await verifyModel(modelsDir, entry)
    expect(readdirSync(modelsDir)).toEqual(['one.onnx'])
  })

  test('a wrong file in the mirror does not keep it from the network', async () => {
    put(join(root, 'one.onnx'), 'stale')
    const { fetch } = answering(new Uint8Array(content))
    expect((await pullModel(entry, { modelsDir, mirrorDir: root, fetch })).from).toBe(url)
  })

  test.for<[string, Uint8Array<ArrayBuffer>, number, RegExp]>([
    ['the wrong bytes', bytes('evil'), 200, /has SHA-256/],
    ['too many bytes', new Uint8Array(content.length + 1), 200, /longer than/],
    ['an error page', bytes('no'), 404, /status 404/],
  ])('%s are not installed; MDL_DOWNLOAD names what was tried', async ([, body, status, why]) => {
    put(join(modelsDir, 'one.onnx'), 'what was there')
    const { fetch } = answering(body, status)
    const error = await pullModel(entry, { modelsDir, mirrorDir: root, fetch }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'MDL_DOWNLOAD', message: expect.stringMatching(why) })
    expect(error).toMatchObject({ message: expect.stringContaining(url) })
    expect(error).toMatchObject({ message: expect.stringContaining(`${join(root, 'models', 'one.onnx')} (not there)`) })
    expect(readFileSync(join(modelsDir, 'one.onnx'), 'utf8')).toBe('what was there')
    expect(readdirSync(modelsDir)).toEqual(['one.onnx'])
  })

  test('a conversion says that it is published nowhere', async () => {
    const attempt = pullModel(findModel('face-reid-0095'), { modelsDir })
    await expect(attempt).rejects.toMatchObject({ code: 'MDL_DOWNLOAD', message: expect.stringMatching(/conversion/) })
  })

  test('stops when aborted, and leaves nothing', async () => {
    const abort = new AbortController()
    const { fetch } = answering(new Uint8Array(content))
    const onProgress = () => abort.abort(new Error('enough'))
    await expect(pullModel(entry, { modelsDir, fetch, onProgress, signal: abort.signal })).rejects.toThrow('enough')
    expect(readdirSync(modelsDir)).toEqual([])
  })
})
