/**
 * Model files on disk: where they lie, whether they are the ones the manifest means, and how they get there.
 * Runs in the daemon and the command line (pull, verify) and in engine hosts (verify). A file takes its final name only
 * after its hash was checked.
 */
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { GrabberError } from '../core/errors.ts'
import type { ModelEntry } from './model-entry.ts'

export function installedPath(modelsDir: string, entry: ModelEntry): string {
  return join(modelsDir, entry.file)
}

/** Streams the installed file through SHA-256. Rejects with MDL_MISSING or MDL_HASH. */
export async function verifyModel(modelsDir: string, entry: ModelEntry): Promise<void> {
  const path = installedPath(modelsDir, entry)
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(path), hash)
  } catch (cause) {
    throw missing(entry, path, cause)
  }
  expectHash(entry, path, hash.digest('hex'))
}

/**
 * The file's bytes, of which the hash was checked: what is loaded is what was checked, even if the file is replaced in
 * between. Rejects with MDL_MISSING or MDL_HASH.
 */
export async function readVerified(path: string, entry: ModelEntry): Promise<Uint8Array> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(path)
  } catch (cause) {
    throw missing(entry, path, cause)
  }
  expectHash(entry, path, createHash('sha256').update(bytes).digest('hex'))
  return bytes
}

export interface PullOptions {
  modelsDir: string
  /** Folder that may hold the file as `models/<file>` or `<file>`; asked before the network. */
  mirrorDir?: string
  fetch?: typeof globalThis.fetch
  onProgress?: (receivedBytes: number, totalBytes: number) => void
  signal?: AbortSignal
}

export interface PullResult {
  path: string
  /** The address or path it came from; `null` when it was installed already. */
  from: string | null
}

/** Installs a model unless it is there already. Rejects with MDL_DOWNLOAD that names all that was tried. */
export async function pullModel(entry: ModelEntry, options: PullOptions): Promise<PullResult> {
  const path = installedPath(options.modelsDir, entry)
  if (await isInstalled(options.modelsDir, entry)) return { path, from: null }
  const fetchUrl = options.fetch ?? globalThis.fetch
  const places: { from: string; open: () => Promise<Readable> }[] = []
  if (options.mirrorDir !== undefined) {
    for (const from of [join(options.mirrorDir, 'models', entry.file), join(options.mirrorDir, entry.file)]) {
      places.push({ from, open: async () => createReadStream(from) })
    }
  }
  for (const from of entry.urls) {
    places.push({ from, open: () => openUrl(fetchUrl, from, options.signal) })
  }

  await mkdir(options.modelsDir, { recursive: true })
  const tried: string[] = []
  for (const { from, open } of places) {
    try {
      await install(entry, path, await open(), options)
      return { path, from }
    } catch (error) {
      options.signal?.throwIfAborted()
      tried.push(`${from} (${reason(error)})`)
    }
  }
  const hint = entry.conversion === null ? '' : '; it is a conversion that is published nowhere'
  throw new GrabberError(
    'MDL_DOWNLOAD',
    `${entry.file} could not be fetched${hint}; tried: ${tried.join(', ') || 'nothing, no address is known'}`,
    { context: { model: entry.id, tried } },
  )
}

async function isInstalled(modelsDir: string, entry: ModelEntry): Promise<boolean> {
  try {
    await verifyModel(modelsDir, entry)
    return true
  } catch (error) {
    if (error instanceof GrabberError) return false
    throw error
  }
}

async function openUrl(fetchUrl: typeof globalThis.fetch, url: string, signal?: AbortSignal): Promise<Readable> {
  const response = await fetchUrl(url, signal === undefined ? {} : { signal })
  if (!response.ok || response.body === null) throw new Error(`HTTP status ${response.status}`)
  // lib.dom's stream type and node's are the same object at run time.
  return Readable.fromWeb(response.body as ReadableStream<Uint8Array>)
}

async function install(entry: ModelEntry, path: string, source: Readable, options: PullOptions): Promise<void> {
  const partial = `${path}.${process.pid}.${randomUUID().slice(0, 8)}.partial`
  const hash = createHash('sha256')
  let received = 0
  const check = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      received += chunk.length
      if (received > entry.bytes) return done(new Error(`is longer than the ${entry.bytes} bytes expected`))
      hash.update(chunk)
      options.onProgress?.(received, entry.bytes)
      done(null, chunk)
    },
  })
  try {
    const target = createWriteStream(partial, { flags: 'wx' })
    await pipeline(source, check, target, options.signal === undefined ? {} : { signal: options.signal })
    expectHash(entry, partial, hash.digest('hex'))
    await rename(partial, path)
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
}

function expectHash(entry: ModelEntry, path: string, found: string): void {
  if (found === entry.sha256) return
  const [expected, actual] = [entry.sha256.slice(0, 12), found.slice(0, 12)]
  throw new GrabberError('MDL_HASH', `${basename(path)} has SHA-256 ${actual}…, expected ${expected}…`, {
    context: { model: entry.id, path, expected: entry.sha256, found },
  })
}

function missing(entry: ModelEntry, path: string, cause: unknown): GrabberError {
  return new GrabberError('MDL_MISSING', `${path} cannot be read`, { cause, context: { model: entry.id, path } })
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : ''
  return error instanceof GrabberError ? error.message : code === 'ENOENT' ? 'not there' : `${error.message}${cause}`
}
