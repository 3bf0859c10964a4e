/**
 * One file from one address: continues a part, tries again after a fault that may pass, gives up on one that will not.
 * Runs in commands. Knows nothing of hashes: who calls it checks what has come.
 */
import { isLfsPointer } from './model-files.ts'
import type { PartialFile } from './partial-file.ts'

export interface DownloadLimits {
  /** Waits before the second, third … try. */
  backoffMs: readonly number[]
  /** Longest time without a byte, the answer's head included. */
  idleMs: number
}

export const DOWNLOAD_LIMITS: DownloadLimits = { backoffMs: [500, 1000, 2000, 4000], idleMs: 30_000 }
/** A server that asks for more patience is left for the next address. */
const MAX_RETRY_AFTER_MS = 10_000
/** Also of a server that brings a few bytes each time. */
const MAX_TRIES = 50
const OK = 200
const PARTIAL_CONTENT = 206
const RANGE_NOT_SATISFIABLE = 416
const TOO_MANY_REQUESTS = 429
const REQUEST_TIMEOUT = 408
/** A name that does not resolve will not do so a second later. */
const FINAL_CODES = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ERR_INVALID_URL',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
])

/** A fault at this address that trying again does not heal. */
export class FinalFault extends Error {}

class PassingFault extends Error {
  readonly afterMs: number

  constructor(message: string, afterMs = 0, cause?: unknown) {
    super(message, { cause })
    this.afterMs = afterMs
  }
}

export interface DownloadOptions {
  url: string
  /** Of the whole file. */
  bytes: number
  limits: DownloadLimits
  signal: AbortSignal | undefined
  onProgress: (receivedBytes: number, totalBytes: number) => void
  /** Something a person waiting would want to know, in a few words. */
  onNotice: (text: string) => void
}

/** Fills `part` up to `bytes`. Throws an Error whose message says why not, or the signal's reason; the part stays. */
export async function download(part: PartialFile, options: DownloadOptions): Promise<void> {
  const { limits, signal, onNotice, bytes } = options
  let etag: string | null = null
  let attempt = 0
  for (let tries = 1; ; tries++) {
    const before = part.bytes
    try {
      if (before > 0 && before < bytes) onNotice(`goes on at ${megabytes(before)} of ${megabytes(bytes)}`)
      await fetchOnce(part, options, etag, (tag) => {
        etag = tag
      })
      return
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof FinalFault) throw error
      // A line that breaks again and again, but brings more each time, is worth going on with.
      if (part.bytes > before) attempt = 0
      const waitMs = limits.backoffMs[attempt++]
      if (waitMs === undefined || tries === MAX_TRIES) throw error
      const pauseMs = Math.max(waitMs, error instanceof PassingFault ? error.afterMs : 0)
      onNotice(`${error instanceof Error ? error.message : String(error)}; tries again in ${pauseMs / 1000} s`)
      await pause(pauseMs, signal)
    }
  }
}

async function fetchOnce(
  part: PartialFile,
  { url, bytes, limits, signal, onProgress }: DownloadOptions,
  etag: string | null,
  onEtag: (etag: string | null) => void,
): Promise<void> {
  if (part.bytes > bytes) await part.clear()
  if (part.bytes === bytes) return
  const idle = new IdleLimit(limits.idleMs, signal)
  try {
    // Compressed, the bytes of a range would not be the file's.
    const headers: Record<string, string> = { 'accept-encoding': 'identity' }
    if (part.bytes > 0) {
      headers.range = `bytes=${part.bytes}-`
      if (etag !== null) headers['if-range'] = etag
    }
    const response = await fetch(url, { headers, signal: idle.signal })
    idle.feed()
    onEtag(strongTag(response))
    await place(part, response, bytes)
    if (response.body === null) throw new PassingFault('an answer without a body')
    await part.append(watched(response.body, idle, bytes - part.bytes), (received) => onProgress(received, bytes))
  } catch (error) {
    throw fault(error, idle)
  } finally {
    idle.end()
  }
  if (part.bytes >= bytes) return
  const head = await part.head()
  if (isLfsPointer(head)) {
    await part.clear()
    throw new FinalFault('it answered with a Git LFS pointer instead of the file')
  }
  throw new PassingFault(`the answer ended after ${part.bytes} of ${bytes} bytes`)
}

/** Brings the part to where the answer's body starts, or throws. */
async function place(part: PartialFile, response: Response, bytes: number): Promise<void> {
  const { status, headers } = response
  if (status === PARTIAL_CONTENT) {
    const [, from, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? []
    if (Number(from) !== part.bytes) {
      await refuse(part, response, 'another range than asked for')
    }
    if (total !== '*' && Number(total) !== bytes)
      throw await final(response, `its file has ${total} bytes, not ${bytes}`)
    return
  }
  if (status === OK) {
    // The server knows no ranges, or its file has changed since.
    if (part.bytes > 0) await part.clear()
    const type = headers.get('content-type') ?? ''
    if (type.startsWith('text/html')) throw await final(response, 'it answered with a web page')
    return
  }
  if (status === RANGE_NOT_SATISFIABLE) await refuse(part, response, 'its file is shorter than what we have')
  if (status >= 500 || status === TOO_MANY_REQUESTS || status === REQUEST_TIMEOUT) {
    const afterMs = 1000 * Number(headers.get('retry-after') ?? 0) || 0
    if (afterMs > MAX_RETRY_AFTER_MS) throw await final(response, `HTTP status ${status}, for ${afterMs / 1000} s`)
    await response.body?.cancel()
    throw new PassingFault(`HTTP status ${status}`, afterMs)
  }
  throw await final(response, `HTTP status ${status}`)
}

async function refuse(part: PartialFile, response: Response, what: string): Promise<never> {
  await response.body?.cancel()
  await part.clear()
  throw new PassingFault(`${what}; starts anew`)
}

async function final(response: Response, what: string): Promise<FinalFault> {
  await response.body?.cancel()
  return new FinalFault(what)
}

async function* watched(body: ReadableStream<Uint8Array>, idle: IdleLimit, most: number): AsyncGenerator<Uint8Array> {
  let left = most
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    idle.feed()
    left -= chunk.length
    if (left < 0) throw new FinalFault('it is longer than the manifest states')
    yield chunk
  }
}

function fault(error: unknown, idle: IdleLimit): unknown {
  if (error instanceof FinalFault || error instanceof PassingFault) return error
  if (idle.passed) return new PassingFault(`nothing came for ${idle.limitMs / 1000} s`, 0, error)
  // fetch says 'fetch failed' or 'terminated', and the reason is its cause.
  const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const code = reason instanceof Error && 'code' in reason ? String(reason.code) : ''
  // A full disk, a folder that is gone: no fault of the address.
  if (/^(ENOSPC|EACCES|EROFS|ENOENT|EIO|EDQUOT)$/.test(code)) return new FinalFault(String(reason), { cause: error })
  const what = reason instanceof Error ? reason.message || code : String(reason)
  return FINAL_CODES.has(code) ? new FinalFault(what, { cause: error }) : new PassingFault(what, 0, error)
}

/** A weak tag does not promise the same bytes (RFC 9110, 13.1.5). */
function strongTag(response: Response): string | null {
  const tag = response.headers.get('etag')
  return tag?.startsWith('"') ? tag : null
}

class IdleLimit {
  readonly limitMs: number
  readonly signal: AbortSignal
  readonly #abort = new AbortController()
  #timer: NodeJS.Timeout

  constructor(limitMs: number, outer: AbortSignal | undefined) {
    this.limitMs = limitMs
    this.signal = outer ? AbortSignal.any([outer, this.#abort.signal]) : this.#abort.signal
    this.#timer = this.#start()
  }

  get passed(): boolean {
    return this.#abort.signal.aborted
  }

  feed(): void {
    clearTimeout(this.#timer)
    this.#timer = this.#start()
  }

  end(): void {
    clearTimeout(this.#timer)
  }

  #start(): NodeJS.Timeout {
    return setTimeout(() => this.#abort.abort(), this.limitMs)
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal?.addEventListener('abort', stop, { once: true })
  })
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
