/**
 * The files of the CUDA and TensorRT providers for onnxruntime-node: which they are, where they come from, and their way into
 * its folder. What, which version and from where is read from onnxruntime-node's own install metadata.
 *
 * Its install script writes into the folder file by file and checks nothing. Here the package's SHA-512 is compared with what
 * NuGet's catalogue states, the files are put beside their places, and only then moved into them: a failure leaves the
 * folder as it was.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { GrabberError } from '../core/errors.ts'
import { providerFolder } from '../models/devices.ts'

const PLATFORM = 'linux/x64'
/** For the answers about the package; the package itself may take as long as bytes arrive. */
const ASK_LIMIT_MS = 15_000
const STALL_LIMIT_MS = 60_000
const SAY_BYTES = 50e6
const ELF = Buffer.from([0x7f, 0x45, 0x4c, 0x46])

const metadataSchema = z.object({
  requirements: z.record(z.string(), z.array(z.string())),
  manifests: z.record(z.string(), z.record(z.string(), z.object({ package: z.string(), path: z.string() }))),
  packages: z.record(
    z.string(),
    z.object({ name: z.string(), versions: z.array(z.object({ feed: z.string(), version: z.string() })).min(1) }),
  ),
  feeds: z.record(z.string(), z.object({ type: z.string(), index: z.string() })),
})
const indexSchema = z.object({ resources: z.array(z.object({ '@id': z.string(), '@type': z.string() })) })
const leafSchema = z.object({ catalogEntry: z.string(), packageContent: z.string() })
const entrySchema = z.object({ packageHash: z.string(), packageHashAlgorithm: z.literal('SHA512') })

interface ZipFile {
  getEntry(path: string): { getData(): Buffer } | null
}

export interface InstallOptions {
  say(what: string): void
  /** Of a NuGet feed; onnxruntime-node's own when absent. */
  index?: string
}

export class CudaProvider {
  readonly #folder: string
  readonly #package: { name: string; version: string; index: string }
  /** File name → path in the package. */
  readonly #files: Map<string, string>
  readonly #require = createRequire(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'))

  /** `folder`: where the libraries go; onnxruntime-node's own when absent. */
  constructor(folder = providerFolder()) {
    this.#folder = folder
    const metadata = metadataSchema.parse(this.#require('./script/install-metadata.js'))
    const manifest = metadata.manifests[`${PLATFORM}:${metadata.requirements[PLATFORM]?.[0]}`] ?? {}
    const parts = Object.entries(manifest)
    const source = metadata.packages[parts[0]?.[1].package ?? '']
    const latest = source?.versions[0]
    const index = metadata.feeds[latest?.feed ?? '']?.index
    if (!source || !latest || !index) {
      throw new GrabberError('ENG_PROVIDER', 'this onnxruntime-node does not say where its CUDA provider is')
    }
    this.#package = { name: source.name.toLowerCase(), version: latest.version, index }
    this.#files = new Map(parts.map(([name, { path }]) => [basename(name), path]))
  }

  /** Names of the files that are not in the folder. */
  get missing(): string[] {
    return [...this.#files.keys()].filter((name) => !existsSync(join(this.#folder, name)))
  }

  /** All files or none. Rejects with ENG_PROVIDER; the folder is untouched then. */
  async install({ say, index = this.#package.index }: InstallOptions): Promise<void> {
    const { name, version } = this.#package
    const { url, sha512 } = await this.#locate(index)
    say(`fetching ${name} ${version}`)
    const bytes = await download(url, say)
    const actual = createHash('sha512').update(bytes).digest('base64')
    if (actual !== sha512) throw refused(`${name} ${version} does not have the SHA-512 that its catalogue states`)
    this.#place(bytes)
    say(`installed ${[...this.#files.keys()].join(', ')}`)
  }

  /** NuGet's service index → registration leaf → package and catalogue entry. */
  async #locate(index: string): Promise<{ url: string; sha512: string }> {
    const { name, version } = this.#package
    const { resources } = await ask(index, indexSchema)
    const registrations = resources.find((resource) => resource['@type'].startsWith('RegistrationsBaseUrl'))?.['@id']
    if (registrations === undefined) throw refused(`${index} is not the index of a NuGet feed`)
    const leaf = await ask(`${registrations.replace(/\/?$/, '/')}${name}/${version}.json`, leafSchema)
    const { packageHash } = await ask(leaf.catalogEntry, entrySchema)
    return { url: leaf.packageContent, sha512: packageHash }
  }

  #place(bytes: Buffer): void {
    const zip = this.#open(bytes)
    const parts = [...this.#files].map(([name, path]) => {
      const data = zip.getEntry(path)?.getData()
      if (data === undefined) throw refused(`the package holds no ${path}`)
      if (!data.subarray(0, 4).equals(ELF)) throw refused(`${path} of the package is not a library`)
      return { name, data }
    })
    // On the same file system as their places, so that each move is whole or not at all.
    const staging = mkdtempSync(join(dirname(this.#folder), '.cuda-'))
    try {
      for (const { name, data } of parts) writeFileSync(join(staging, name), data, { mode: 0o644 })
      for (const { name } of parts) renameSync(join(staging, name), join(this.#folder, name))
    } catch (cause) {
      throw refused(`${this.#folder} cannot be written`, cause)
    } finally {
      rmSync(staging, { recursive: true, force: true })
    }
  }

  #open(bytes: Buffer): ZipFile {
    const AdmZip = this.#require('adm-zip') as new (bytes: Buffer) => ZipFile
    try {
      return new AdmZip(bytes)
    } catch (cause) {
      throw refused('the package is not a zip file', cause)
    }
  }
}

async function ask<T>(url: string, schema: z.ZodType<T>): Promise<T> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ASK_LIMIT_MS) })
    if (!answer.ok) throw new Error(`status ${answer.status}`)
    return schema.parse(await answer.json())
  } catch (cause) {
    throw unreachable(url, cause)
  }
}

async function download(url: string, say: (what: string) => void): Promise<Buffer> {
  const stalled = new AbortController()
  const abort = () => stalled.abort(new Error(`nothing came for ${STALL_LIMIT_MS / 1000} s`))
  let timer = setTimeout(abort, STALL_LIMIT_MS)
  try {
    const answer = await fetch(url, { signal: stalled.signal })
    if (!answer.ok || answer.body === null) throw new Error(`status ${answer.status}`)
    const chunks: Uint8Array[] = []
    let bytes = 0
    let said = 0
    for await (const chunk of answer.body) {
      clearTimeout(timer)
      timer = setTimeout(abort, STALL_LIMIT_MS)
      chunks.push(chunk)
      bytes += chunk.byteLength
      if (bytes - said < SAY_BYTES) continue
      said = bytes
      say(`${Math.round(bytes / 1e6)} MB`)
    }
    return Buffer.concat(chunks)
  } catch (cause) {
    throw unreachable(url, cause)
  } finally {
    clearTimeout(timer)
  }
}

function unreachable(url: string, cause: unknown): GrabberError {
  const error = cause instanceof Error ? cause : new Error(String(cause))
  const reason = error.cause instanceof Error ? error.cause.message || String(error.cause) : error.message
  const what = `${new URL(url).host} could not be asked for the CUDA provider: ${reason || error.name}`
  return new GrabberError('ENG_PROVIDER', what, {
    cause,
    remedy: 'nothing was changed and the CPU goes on working; run script/setup-cuda again with a network',
  })
}

function refused(what: string, cause?: unknown): GrabberError {
  return new GrabberError('ENG_PROVIDER', what, cause === undefined ? {} : { cause })
}
