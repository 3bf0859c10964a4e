/** script/setup-cuda: its refusals as a person meets them, and its install from a feed that stands for NuGet. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { providerFolder, unseen, viewMachine } from '../../models/devices.ts'
import { CudaProvider } from '../../script/cuda-provider.ts'

const root = resolve(import.meta.dirname, '../..')
const linux = process.platform === 'linux' && process.arch === 'x64'
const bare = unseen('cuda', viewMachine()) !== undefined
const LIBRARIES = [
  'libonnxruntime_providers_cuda.so',
  'libonnxruntime_providers_shared.so',
  'libonnxruntime_providers_tensorrt.so',
]

function setupCuda(...args: string[]) {
  const env = { PATH: process.env.PATH ?? '' }
  const { status, stdout, stderr } = spawnSync(join(root, 'script/setup-cuda'), args, { encoding: 'utf8', env })
  return { status, stdout, stderr }
}

/** Names, sizes and times: what a write would change. */
const look = (folder: string) =>
  readdirSync(folder).map((name) => {
    const { size, mtimeMs } = statSync(join(folder, name))
    return [name, size, mtimeMs]
  })

/** A port on which nobody listens any more. */
async function closedPort(): Promise<number> {
  const listener = createServer()
  await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done))
  const { port } = listener.address() as AddressInfo
  await new Promise((done) => listener.close(done))
  return port
}

describe.skipIf(!linux)('script/setup-cuda', () => {
  test.skipIf(!bare)('says in one line that there is no GPU', () => {
    const before = look(providerFolder())
    const { status, stdout, stderr } = setupCuda()
    expect([status, stdout]).toEqual([5, ''])
    expect(stderr).toMatch(/^ENG_PROVIDER: no NVIDIA device node on this machine: .*--force.*\n$/)
    expect(look(providerFolder())).toEqual(before)
  })

  test.skipIf(!bare || viewMachine().notInstalled.length === 0)(
    'without a network: one line, and nothing is touched',
    async () => {
      const before = look(providerFolder())
      const port = await closedPort()
      const { status, stdout, stderr } = setupCuda('--force', '--index', `http://127.0.0.1:${port}/index.json`)
      expect([status, stdout]).toEqual([5, ''])
      expect(stderr).toMatch(
        /^ENG_PROVIDER: 127\.0\.0\.1:\d+ could not be asked .*ECONNREFUSED.*: nothing was changed.*\n$/,
      )
      expect(look(providerFolder())).toEqual(before)
    },
  )

  test('knows its options', () => {
    expect(setupCuda('--frce')).toMatchObject({ status: 2, stderr: expect.stringMatching(/^CFG_USAGE: .*\n$/) })
  })
})

interface Zip {
  addFile(path: string, data: Buffer): void
  toBuffer(): Buffer
}
const require = createRequire(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'))
const AdmZip = require('adm-zip') as new () => Zip

const library = (name: string) => Buffer.concat([Buffer.from('\x7fELF'), Buffer.from(`the library ${name}`)])

/** A package as NuGet has it, with other content where a test says so. */
function packed(changes: Record<string, Buffer | null> = {}): Buffer {
  const zip = new AdmZip()
  for (const name of LIBRARIES) {
    const data = name in changes ? changes[name] : library(name)
    if (data) zip.addFile(`runtimes/linux-x64/native/${name}`, data)
  }
  return zip.toBuffer()
}

let folder: string
let server: Server
let answers: Record<string, object | Buffer>
let index: string
let asked: string[]

beforeEach(async () => {
  const parent = mkdtempSync(join(tmpdir(), 'cuda-'))
  folder = join(parent, 'x64')
  mkdirSync(folder)
  asked = []
  server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const answer = answers[request.url ?? '']
    if (answer === undefined) response.writeHead(404).end()
    else response.end(Buffer.isBuffer(answer) ? answer : JSON.stringify(answer))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  index = `${base}/v3/index.json`
  const { version } = JSON.parse(readFileSync(require.resolve('./package.json'), 'utf8')) as { version: string }
  const bytes = packed()
  answers = {
    '/v3/index.json': { resources: [{ '@id': `${base}/reg/`, '@type': 'RegistrationsBaseUrl/3.6.0' }] },
    [`/reg/microsoft.ml.onnxruntime.gpu.linux/${version}.json`]: {
      catalogEntry: `${base}/entry.json`,
      packageContent: `${base}/package.nupkg`,
    },
    '/entry.json': { packageHash: hash(bytes), packageHashAlgorithm: 'SHA512' },
    '/package.nupkg': bytes,
  }
})
afterEach(async () => {
  await new Promise((done) => server.close(done))
  rmSync(join(folder, '..'), { recursive: true })
})

const hash = (bytes: Buffer) => createHash('sha512').update(bytes).digest('base64')
const quiet = () => undefined

describe('the install', () => {
  test('takes the three libraries of the version that is there, and is done after that', async () => {
    const provider = new CudaProvider(folder)
    expect(provider.missing).toEqual(LIBRARIES)
    const said: string[] = []
    await provider.install({ say: (what) => said.push(what), index })
    expect(provider.missing).toEqual([])
    for (const name of LIBRARIES) expect(readFileSync(join(folder, name))).toEqual(library(name))
    expect(readdirSync(join(folder, '..'))).toEqual(['x64'])
    expect(said.at(-1)).toMatch(/^installed libonnxruntime_providers_cuda\.so/)
    expect(asked).toHaveLength(4)
  })

  function serve(bytes: Buffer): void {
    answers['/package.nupkg'] = bytes
    answers['/entry.json'] = { packageHash: hash(bytes), packageHashAlgorithm: 'SHA512' }
  }

  test.for<[string, () => void, RegExp]>([
    [
      'another content than the catalogue states',
      () => Object.assign(answers, { '/package.nupkg': packed({}).fill(0, 50, 60) }),
      /SHA-512/,
    ],
    [
      'a package that is cut off',
      () => Object.assign(answers, { '/package.nupkg': packed().subarray(0, 100) }),
      /SHA-512/,
    ],
    ['no zip', () => serve(Buffer.from('<html>sign in</html>')), /not a zip/],
    ['a library that is missing', () => serve(packed({ [LIBRARIES[2]!]: null })), /holds no .*tensorrt/],
    ['a library that is none', () => serve(packed({ [LIBRARIES[1]!]: Buffer.from('text') })), /is not a library/],
    ['an index that is none', () => Object.assign(answers, { '/v3/index.json': { resources: [] } }), /not the index/],
    ['a version that the feed does not have', () => delete answers[Object.keys(answers)[1]!], /status 404/],
    ['a package that is not there', () => delete answers['/package.nupkg'], /status 404/],
  ])('refuses %s, and leaves the folder as it was', async ([, spoil, words]) => {
    spoil()
    const provider = new CudaProvider(folder)
    const attempt = provider.install({ say: quiet, index })
    await expect(attempt).rejects.toMatchObject({ code: 'ENG_PROVIDER', message: expect.stringMatching(words) })
    expect(readdirSync(folder)).toEqual([])
    expect(readdirSync(join(folder, '..'))).toEqual(['x64'])
  })
})
