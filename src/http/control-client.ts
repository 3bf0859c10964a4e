/**
 * Asks a running daemon over its control socket. Runs in commands.
 */
import { request } from 'node:http'
import type { ConfigProblem } from '../../config/problem.ts'
import { type ErrorCode, errorTable } from '../../core/error-table.ts'
import { GrabberError } from '../../core/errors.ts'

const ANSWER_TIMEOUT_MS = 15_000

interface Call {
  method: 'GET' | 'POST' | 'DELETE'
  path: string
  body?: object
  /** For what takes long by its nature. */
  timeoutMs?: number
  /** Ends it early. */
  signal?: AbortSignal
}

/**
 * The `data` of the daemon's answer. Throws the daemon's coded error, or ACT_DEADLINE when it does not answer and
 * STO_LOCKED when nobody listens on the socket of a data folder that is in use.
 */
export async function askDaemon(socketPath: string, call: Call): Promise<unknown> {
  const answer = JSON.parse(await exchange(socketPath, call)) as
    | { ok: true; data: unknown }
    | { ok: false; error: { code: string; message: string; problems?: ConfigProblem[] } }
  if (answer.ok) return answer.data
  const { code, message, problems } = answer.error
  const known = Object.hasOwn(errorTable, code) ? (code as ErrorCode) : 'ACT_DEFECT'
  throw new GrabberError(known, message, problems === undefined ? {} : { context: { problems } })
}

function exchange(socketPath: string, call: Call): Promise<string> {
  const { method, path, body, timeoutMs = ANSWER_TIMEOUT_MS, signal } = call
  const payload = body === undefined ? undefined : JSON.stringify(body)
  const headers =
    payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }
  return new Promise((resolve, reject) => {
    const options = { socketPath, method, path, headers, timeout: timeoutMs, ...(signal && { signal }) }
    const asking = request(options, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
      response.on('error', reject)
    })
    asking.on('timeout', () => asking.destroy(new GrabberError('ACT_DEADLINE', 'the running grabber does not answer')))
    asking.on('error', (cause) =>
      reject(
        cause instanceof GrabberError
          ? cause
          : new GrabberError(
              'STO_LOCKED',
              `no grabber answers at ${socketPath} (${(cause as NodeJS.ErrnoException).code})`,
              { cause },
            ),
      ),
    )
    asking.end(payload)
  })
}
