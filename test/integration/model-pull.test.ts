/** How model files come, from a real HTTP server that behaves badly in every way we know. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findModel, localManifestPath } from '../../models/manifest.ts'
import type { ModelEntry } from '../../models/model-entry.ts'
import { type PullOptions, pullModel } from '../../models/model-pull.ts'
import { until } from './support/engine.ts'
import { type Behaviour, ModelServer } from './support/model-server.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
// Not of one repeated pattern: a part put together in the wrong place must not have the right hash.
const content = Buffer.from(Uint8Array.from({ length: 400_000 }, (_, n) => (n * n * 31 + (n >> 8)) & 255))
const sha256 = createHash('sha256').update(content).digest('hex')
const limits = { backoffMs: [1, 1, 1], idleMs: 10_000 }
const half = content.length / 2

let modelsDir: string
let servers: ModelServer[]
const path = () => join(modelsDir, 'one.onnx')
const idlePart = () => join(modelsDir, `one.onnx.${sha256.slice(0, 12)}.partial`)
const names = () => readdirSync(modelsDir).sort()
/** In parts, whoever writes them. */
const receivedBytes = () =>
  names().reduce((sum, name) => sum + (name.endsWith('.partial') ? statSync(join(modelsDir, name)).size : 0), 0)
/** A connection that breaks after so many bytes, when `inAll` have arrived. */
const cut = (bytes: number, inAll = bytes): Behaviour => {
  return { cutAfter: bytes, arrived: () => until(`${inAll} bytes`, () => receivedBytes() >= inAll) }
}

beforeEach(() => {
  modelsDir = mkdtempSync(join(tmpdir(), 'pull-'))
  servers = []
})
afterEach(async () => {
  for (const server of servers) await server[Symbol.asyncDispose]()
  rmSync(modelsDir, { recursive: true, force: true })
})

async function serving(...behaviours: Behaviour[]): Promise<ModelServer> {
  const server = await ModelServer.start(content, ...behaviours)
  servers.push(server)
  return server
}

const entryAt = (...urls: string[]): ModelEntry => ({
  ...findModel('yunet'),
  file: 'one.onnx',
  bytes: content.length,
  sha256,
  urls,
})

const pull = (entry: ModelEntry, options: Partial<PullOptions> = {}) =>
  pullModel(entry, { modelsDir, limits, ...options })

/** What the pull said it tried. */
const refusal = async (entry: ModelEntry, options: Partial<PullOptions> = {}) => {
  const error = await pull(entry, options).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'MDL_DOWNLOAD' })
  return (error as Error).message
}

describe('a download', () => {
  test('comes whole, with progress, and leaves a good file alone the next time', async () => {
    const server = await serving()
    const progress: number[] = []
    const onProgress = (received: number, total: number) => progress.push(received / total)
    expect(await pull(entryAt(server.url), { onProgress })).toEqual({ path: path(), from: server.url })
    expect(readFileSync(path())).toEqual(content)
    expect(progress.at(-1)).toBe(1)
    expect(names()).toEqual(['one.onnx'])
    expect((await pull(entryAt(server.url))).from).toBeNull()
    expect(server.asked.length).toBe(1)
  })

  test('replaces a damaged file', async () => {
    writeFileSync(path(), 'damaged')
    const server = await serving()
    await pull(entryAt(server.url))
    expect(readFileSync(path())).toEqual(content)
  })

  test('goes on where a connection broke, in the same try', async () => {
    const server = await serving(cut(half), cut(1000, half + 1000), 'serve')
    const notices: string[] = []
    await pull(entryAt(server.url), { onNotice: (text) => notices.push(text) })
    expect(readFileSync(path())).toEqual(content)
    const starts = server.asked.map(({ range }) => Number(/\d+/.exec(range ?? 'bytes=0-')?.[0]))
    expect(starts.length).toBe(3)
    expect(starts[1]).toBeGreaterThan(0)
    expect(starts[2]).toBeGreaterThan(starts[1]!)
    expect(server.asked[1]!.ifRange).toBe('"one"')
    expect(notices).toContainEqual(expect.stringMatching(/tries again/))
    expect(notices).toContainEqual(expect.stringMatching(/^goes on at 0\.\d MB of 0\.4 MB$/))
  })

  test('goes on where an earlier pull was interrupted', async () => {
    const server = await serving({ stallAfter: half })
    const abort = new AbortController()
    const interrupted = pull(entryAt(server.url), {
      signal: abort.signal,
      onProgress: (received) => received >= half && abort.abort(new Error('Ctrl-C')),
    })
    await expect(interrupted).rejects.toThrow('Ctrl-C')
    expect(names()).toEqual([`one.onnx.${sha256.slice(0, 12)}.partial`])
    expect(readFileSync(idlePart())).toEqual(content.subarray(0, half))
    server.next('serve')
    await pull(entryAt(server.url))
    expect(server.asked.at(-1)).toMatchObject({ range: `bytes=${half}-`, ifRange: undefined })
    expect(readFileSync(path())).toEqual(content)
    expect(names()).toEqual(['one.onnx'])
  })

  test('goes on with the part of another address', async () => {
    const [first, second] = [await serving(cut(half), { status: 404 }), await serving()]
    expect((await pull(entryAt(first.url, second.url))).from).toBe(second.url)
    expect(second.asked[0]!.range).toMatch(/^bytes=[1-9]/)
    expect(readFileSync(path())).toEqual(content)
  })

  test.for<[string, Behaviour[]]>([
    ['ignores ranges', ['ignore-range']],
    ['answers another range', ['wrong-range', 'serve']],
  ])('starts anew from a server that %s', async ([, behaviours]) => {
    writeFileSync(idlePart(), content.subarray(0, half))
    const server = await serving(...behaviours)
    await pull(entryAt(server.url))
    expect(readFileSync(path())).toEqual(content)
  })

  test('starts anew when the file changed on the server meanwhile', async () => {
    const server = await serving(cut(half), 'serve')
    const old = server.content
    server.content = Buffer.concat([Buffer.from('old'), old.subarray(3)])
    // It answers the first request with the old file, and is given the new one before the second.
    const onNotice = (text: string) => {
      if (!text.includes('tries again')) return
      server.content = old
      server.etag = '"two"'
    }
    await pull(entryAt(server.url), { onNotice })
    expect(server.asked[1]!.ifRange).toBe('"one"')
    expect(server.asked.length).toBe(2)
    expect(readFileSync(path())).toEqual(content)
  })

  test.for<[string, Buffer]>([
    ['of other bytes', Buffer.alloc(half, 7)],
    ['longer than the file', Buffer.alloc(content.length + 5, 7)],
    ['as long as the file', Buffer.alloc(content.length, 7)],
  ])('a part %s costs one more try, not the file', async ([, part]) => {
    writeFileSync(idlePart(), part)
    const server = await serving()
    await pull(entryAt(server.url))
    expect(readFileSync(path())).toEqual(content)
    expect(names()).toEqual(['one.onnx'])
  })

  test('takes over what a killed process left, not what a live one writes', async () => {
    const stem = `one.onnx.${sha256.slice(0, 12)}`
    const dead = spawn(process.execPath, ['-e', ''])
    await new Promise((done) => dead.once('exit', done))
    writeFileSync(join(modelsDir, `${stem}.${dead.pid}-aaaaaaaa.partial`), content.subarray(0, half))
    const alive = `${stem}.${process.pid}-bbbbbbbb.partial`
    writeFileSync(join(modelsDir, alive), content.subarray(0, half + 1000))
    const server = await serving()
    await pull(entryAt(server.url))
    expect(server.asked[0]!.range).toBe(`bytes=${half}-`)
    expect(names()).toEqual(['one.onnx', alive])
  })

  test('two at once both end with the whole file', async () => {
    writeFileSync(idlePart(), content.subarray(0, half))
    const server = await serving()
    const both = await Promise.all([pull(entryAt(server.url)), pull(entryAt(server.url))])
    expect(both.map(({ from }) => from)).toEqual([server.url, server.url])
    expect(readFileSync(path())).toEqual(content)
    expect(names()).toEqual(['one.onnx'])
    // One had the part; the other one began its own.
    expect(server.asked.map(({ range }) => range).sort()).toEqual([`bytes=${half}-`, undefined])
  })
})

describe('faults', () => {
  test.for<[string, Behaviour[]]>([
    ['500', [{ status: 500 }, 'serve']],
    ['503 with patience asked for', [{ status: 503, headers: { 'retry-after': '0' } }, 'serve']],
    ['429', [{ status: 429 }, 'serve']],
    ['reset before a byte', [{ cutAfter: 0 }, 'serve']],
    ['a body that ends before its length', [{ claim: content.length, send: 100 }, 'serve']],
  ])('%s passes: it tries again', async ([, behaviours]) => {
    const server = await serving(...behaviours)
    await pull(entryAt(server.url))
    expect(server.asked.length).toBeGreaterThan(1)
    expect(readFileSync(path())).toEqual(content)
  })

  test.for<[string, Behaviour, RegExp, number]>([
    ['404', { status: 404 }, /HTTP status 404/, 1],
    ['403', { status: 403 }, /HTTP status 403/, 1],
    ['a server that stays broken', { status: 500 }, /HTTP status 500/, 4],
    ['much patience', { status: 503, headers: { 'retry-after': '3600' } }, /HTTP status 503, for 3600 s/, 1],
    ['a login page', { body: '<html>sign in</html>', type: 'text/html; charset=utf-8' }, /web page/, 1],
    [
      'a Git LFS pointer',
      { body: `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize 400000\n` },
      /Git LFS pointer instead of the file/,
      1,
    ],
    ['too many bytes', { body: 'x'.repeat(content.length + 1) }, /longer than the manifest states/, 1],
    ['the wrong bytes', { body: 'x'.repeat(content.length) }, /has SHA-256/, 1],
    ['a short file that says it is whole', { body: 'x'.repeat(2000) }, /ended after 2000 of 400000 bytes/, 0],
    ['redirects in a circle', { redirect: '/one.onnx' }, /redirect/, 0],
  ])('%s: MDL_DOWNLOAD says so, and what was there stays', async ([, behaviour, why, times]) => {
    writeFileSync(path(), 'what was there')
    const server = await serving(behaviour)
    const message = await refusal(entryAt(server.url))
    expect(message).toMatch(why)
    expect(message).toContain(server.url)
    if (times > 0) expect(server.asked.length).toBe(times)
    expect(readFileSync(path(), 'utf8')).toBe('what was there')
    expect(names().filter((name) => !name.endsWith('.partial'))).toEqual(['one.onnx'])
  })

  test('the next address is asked, in order, and all are named in the end', async () => {
    const [first, second, third] = [await serving({ status: 404 }), await serving({ body: 'evil' }), await serving()]
    expect((await pull(entryAt(first.url, second.url, third.url))).from).toBe(third.url)
    rmSync(path())
    third.next({ status: 410 })
    const message = await refusal(entryAt(first.url, second.url, third.url))
    expect(message.indexOf(first.url)).toBeLessThan(message.indexOf(second.url))
    expect(message.indexOf(second.url)).toBeLessThan(message.indexOf(third.url))
  })

  test('a redirect is followed, with the range', async () => {
    const target = await serving()
    const server = await serving({ redirect: target.url })
    writeFileSync(idlePart(), content.subarray(0, half))
    await pull(entryAt(server.url))
    expect(target.asked).toEqual([{ path: '/one.onnx', range: `bytes=${half}-`, ifRange: undefined }])
    expect(readFileSync(path())).toEqual(content)
  })

  test('a server that says nothing is given up, then tried again', async () => {
    const server = await serving({ stallAfter: half }, 'serve')
    await pull(entryAt(server.url), { limits: { backoffMs: [1], idleMs: 200 } })
    expect(server.asked.length).toBe(2)
    expect(readFileSync(path())).toEqual(content)
  })

  test('nobody listens there', async () => {
    const server = await serving()
    const { url } = server
    await server[Symbol.asyncDispose]()
    servers = []
    expect(await refusal(entryAt(url))).toMatch(/ECONNREFUSED/)
  })
})

describe('a mirror', () => {
  test.for(['models/one.onnx', 'one.onnx', 'models/another-name.onnx'])('may have it as %s', async (where) => {
    const mirror = join(modelsDir, 'mirror')
    mkdirSync(join(mirror, 'models'), { recursive: true })
    writeFileSync(join(mirror, where), content)
    const server = await serving()
    const entry = { ...entryAt(server.url), aliases: ['another-name.onnx'] }
    expect((await pull(entry, { mirror })).from).toBe(join(mirror, where))
    expect(readFileSync(path())).toEqual(content)
    expect(server.asked).toEqual([])
  })

  test('with a wrong file does not keep it from the network', async () => {
    const server = await serving()
    writeFileSync(join(modelsDir, 'stale.onnx'), 'stale')
    const mirror = join(modelsDir, 'mirror')
    mkdirSync(mirror)
    writeFileSync(join(mirror, 'one.onnx'), `version https://git-lfs.github.com/spec/v1\n`)
    expect((await pull(entryAt(server.url), { mirror })).from).toBe(server.url)
    server.next({ status: 404 })
    rmSync(path())
    const message = await refusal(entryAt(server.url), { mirror })
    expect(message).toContain(`${join(mirror, 'models', 'one.onnx')} (not there)`)
    expect(message).toMatch(/Git LFS pointer/)
  })

  test('may be an address', async () => {
    const server = await serving({ status: 404 }, 'serve')
    const mirror = server.url.replace('/one.onnx', '/grabber/')
    expect((await pull(entryAt(), { mirror })).from).toBe(`${mirror}one.onnx`)
    expect(server.asked.map(({ path: asked }) => asked)).toEqual(['/grabber/models/one.onnx', '/grabber/one.onnx'])
  })

  test('a conversion that it lacks says that it is published nowhere', async () => {
    const attempt = pullModel(findModel('face-reid-0095'), { modelsDir, mirror: modelsDir })
    await expect(attempt).rejects.toMatchObject({ code: 'MDL_DOWNLOAD', message: expect.stringMatching(/conversion/) })
  })
})

describe('grabber models pull', () => {
  const data = () => join(modelsDir, 'data')
  const start = (...args: string[]) =>
    spawn(join(root, 'bin/grabber'), ['models', 'pull', ...args], {
      cwd: modelsDir,
      env: { PATH: '/usr/bin:/bin', GRABBER_DATA: data() },
      stdio: ['ignore', 'pipe', 'pipe'],
    })

  function writeOwnManifest(url: string): void {
    const { input, output, thresholds } = findModel('yunet')
    const licence = { spdx: 'CC0-1.0', notice: 'a test' }
    const own = { id: 'own', kind: 'face-detector', file: 'one.onnx', sha256, bytes: content.length, licence }
    mkdirSync(join(data(), 'models'), { recursive: true })
    const entry = { ...own, urls: [url], input, output, thresholds }
    writeFileSync(localManifestPath(join(data(), 'models')), JSON.stringify({ version: 1, models: [entry] }))
  }

  test('interrupted by Ctrl-C it exits 130 and leaves a part; the next one goes on with it', async () => {
    const server = await serving({ stallAfter: half }, 'serve')
    writeOwnManifest(server.url)
    const first = start('own')
    const ended = new Promise((done) => first.once('exit', done))
    const folder = join(data(), 'models')
    const parts = () => readdirSync(folder).filter((name) => name.endsWith('.partial'))
    await until('half of it', () =>
      parts().some((name) => existsSync(join(folder, name)) && readFileSync(join(folder, name)).length === half),
    )
    first.kill('SIGINT')
    expect(await ended).toBe(130)
    expect(parts()).toEqual([`one.onnx.${sha256.slice(0, 12)}.partial`])
    const second = start('own')
    const out: Buffer[] = []
    second.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    expect(await new Promise((done) => second.once('close', done))).toBe(0)
    expect(Buffer.concat(out).toString()).toBe(`own: pulled from ${server.url}\n`)
    expect(server.asked[1]!.range).toBe(`bytes=${half}-`)
    expect(readFileSync(join(folder, 'one.onnx'))).toEqual(content)
  })
})
