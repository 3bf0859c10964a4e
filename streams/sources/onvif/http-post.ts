/**
 * One HTTP POST to a device: bounded in size by itself, in time by its signal; follows no redirect, keeps no connection.
 * Session hosts and commands. Must never log or report what it sends: headers and body hold digests of the password.
 */
import { type IncomingMessage, request } from 'node:http'
import { GrabberError } from '../../../core/errors.ts'

/** A large answer (64 profiles with their analytics) has about 300 kB. */
export const MAX_ANSWER_BYTES = 1024 * 1024

export interface HttpAnswer {
  status: number
  /** The `WWW-Authenticate` headers. */
  challenges: readonly string[]
  body: string
}

/**
 * Errors: SRC_DNS, SRC_UNREACHABLE, SRC_TIMEOUT (the network's), SRC_ONVIF (no HTTP, or more than 1 MiB); the signal's
 * reason when it is aborted.
 */
export function post(
  url: URL,
  headers: Record<string, string>,
  body: string,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  return new Promise<HttpAnswer>((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const outgoing = request(url, {
      method: 'POST',
      // An agent would keep sockets, and cameras have few to give.
      agent: false,
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      signal,
    })
    const fail = (error: unknown) => {
      reject(signal.aborted ? signal.reason : networkError(error, url.host))
      outgoing.destroy()
    }
    outgoing.on('error', fail)
    outgoing.on('response', (incoming) => void readBounded(incoming).then(resolve, fail))
    outgoing.end(body)
  })
}

async function readBounded(incoming: IncomingMessage): Promise<HttpAnswer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_ANSWER_BYTES)
      throw new GrabberError('SRC_ONVIF', `an answer is longer than ${MAX_ANSWER_BYTES} bytes`)
    chunks.push(chunk)
  }
  return {
    status: incoming.statusCode ?? 0,
    challenges: incoming.headersDistinct['www-authenticate'] ?? [],
    body: Buffer.concat(chunks).toString('utf8'),
  }
}

function networkError(error: unknown, host: string): GrabberError {
  if (error instanceof GrabberError) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const context = { host, reason: code }
  if (code === 'ENOTFOUND' || code.startsWith('EAI_')) {
    return new GrabberError('SRC_DNS', `the name of ${host} cannot be resolved`, { context })
  }
  if (code === 'ETIMEDOUT') return new GrabberError('SRC_TIMEOUT', `${host} does not answer`, { context })
  if (code.startsWith('HPE_')) return new GrabberError('SRC_ONVIF', `${host} does not speak HTTP`, { context })
  return new GrabberError('SRC_UNREACHABLE', `no connection to ${host} (${code || 'broken'})`, { context })
}
