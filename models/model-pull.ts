/**
 * How a model file gets here: from a mirror, then from its addresses in their order. Runs in commands. A file takes its
 * final name only after its hash was checked; two pulls of one model at once both end with the whole file.
 */
import { createReadStream } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { GrabberError } from '../core/errors.ts'
import { DOWNLOAD_LIMITS, type DownloadLimits, download } from './model-download.ts'
import type { ModelEntry } from './model-entry.ts'
import { installedPath, verifyFile, verifyModel } from './model-files.ts'
import { PartialFile } from './partial-file.ts'

export interface PullOptions {
  modelsDir: string
  /** Folder or address that may hold the file as `models/<file>` or `<file>`; asked before the entry's addresses. */
  mirror?: string
  limits?: DownloadLimits
  onProgress?: (receivedBytes: number, totalBytes: number) => void
  /** What a person who waits would want to know: that it goes on where it was, that it tries again. */
  onNotice?: (text: string) => void
  signal?: AbortSignal
}

export interface PullResult {
  path: string
  /** The address or path it came from; `null` when it was installed already. */
  from: string | null
}

const isAddress = (mirror: string) => /^https?:\/\//.test(mirror)

/** Where the mirror may have the file, in this order. */
function mirrorPlaces(entry: ModelEntry, mirror: string): string[] {
  const names = [entry.file, ...entry.aliases]
  if (isAddress(mirror)) {
    const base = mirror.replace(/\/+$/, '')
    return names.flatMap((name) => [`${base}/models/${name}`, `${base}/${name}`])
  }
  return names.flatMap((name) => [join(mirror, 'models', name), join(mirror, name)])
}

/**
 * Installs a model unless it is there already. Rejects with MDL_DOWNLOAD that names all that was tried, or with the
 * signal's reason; what has come from an address stays as a part, and the next pull goes on with it.
 */
export async function pullModel(entry: ModelEntry, options: PullOptions): Promise<PullResult> {
  const path = installedPath(options.modelsDir, entry)
  if (await isInstalled(options.modelsDir, entry)) return { path, from: null }
  await mkdir(options.modelsDir, { recursive: true })
  const { mirror } = options
  const places = [...(mirror ? mirrorPlaces(entry, mirror) : []), ...entry.urls]
  const tried: string[] = []
  for (const from of places) {
    try {
      await (isAddress(from) ? fromAddress(entry, path, from, options) : fromFile(entry, path, from, options))
      return { path, from: shown(from) }
    } catch (error) {
      options.signal?.throwIfAborted()
      tried.push(`${shown(from)} (${reason(error)})`)
    }
  }
  const hint = entry.conversion === null ? '' : '; it is a conversion that is published nowhere'
  throw new GrabberError(
    'MDL_DOWNLOAD',
    `${entry.file} could not be fetched${hint}; tried: ${tried.join(', ') || 'nothing, no address is known'}`,
    { context: { model: entry.id, tried } },
  )
}

/** A place as it may be printed: an address without its credentials and its query, which may be a signature. */
function shown(place: string): string {
  if (!isAddress(place)) return place
  const url = new URL(place)
  return `${url.origin}${url.pathname}`
}

/** Whether there is anywhere to fetch it from at all. */
export async function canBePulled(entry: ModelEntry, mirror: string | undefined): Promise<boolean> {
  if (entry.urls.length > 0) return true
  if (!mirror) return false
  if (isAddress(mirror)) return true
  for (const place of mirrorPlaces(entry, mirror)) {
    const file = await open(place).catch(() => undefined)
    await file?.close()
    if (file) return true
  }
  return false
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

async function fromAddress(entry: ModelEntry, path: string, url: string, options: PullOptions): Promise<void> {
  await using part = await PartialFile.claim(path, entry.sha256)
  for (let again = false; ; again = true) {
    const alreadyWhole = part.bytes === entry.bytes
    await download(part, {
      url,
      bytes: entry.bytes,
      limits: options.limits ?? DOWNLOAD_LIMITS,
      signal: options.signal,
      onProgress: options.onProgress ?? (() => undefined),
      onNotice: options.onNotice ?? (() => undefined),
    })
    try {
      await verifyFile(part.path, entry)
    } catch (error) {
      // The part was another's: begun at another address, or by a server that has changed its file.
      const worthAnother = (part.inPieces || alreadyWhole) && !again
      await part.clear()
      if (!worthAnother) throw error
      continue
    }
    await part.install(path)
    return
  }
}

async function fromFile(entry: ModelEntry, path: string, from: string, options: PullOptions): Promise<void> {
  await verifyFile(from, entry)
  await using part = await PartialFile.claim(path, entry.sha256)
  await part.clear()
  const source = createReadStream(from, options.signal ? { signal: options.signal } : {})
  await part.append(source, (received) => options.onProgress?.(received, entry.bytes))
  await verifyFile(part.path, entry)
  await part.install(path)
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error instanceof GrabberError && error.code === 'MDL_MISSING' ? 'not there' : error.message
}
