/**
 * Asks a running daemon over its control socket. Runs in commands.
 */
import { request } from 'node:http'
import { type ErrorCode, errorTable } from '../../core/error-table.ts'
import { GrabberError } from '../../core/errors.ts'

const ANSWER_TIMEOUT_MS = 15_000

interface Call {
  method: 'GET' | 'POST' | 'DELETE'
  path: string
  body?: object
  /** For what takes long by its nature. */
  timeoutMs?: number
}

/**
 * The `data` of the daemon's answer. Throws the daemon's coded error, or ACT_DEADLINE when it does not answer and
 * STO_LOCKED when nobody listens on the socket of a data folder that is in use.
 */
export async function askDaemon(socketPath: string, call: Call): Promise<unknown> {
  const answer = JSON.parse(await exchange(socketPath, call)) as
    | { ok: true; data: unknown }
    | { ok: false; error: { code: string; message: string } }
  if (answer.ok) return answer.data
  const { code, message } = answer.error
  throw new GrabberError(Object.hasOwn(errorTable, code) ? (code as ErrorCode) : 'ACT_DEFECT', message)
}

function exchange(socketPath: string, { method, path, body, timeoutMs = ANSWER_TIMEOUT_MS }: Call): Promise<string> {
  const payload = body === undefined ? undefined : JSON.stringify(body)
  const headers =
    payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, method, path, headers, timeout: timeoutMs }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
      response.on('error', reject)
    })
    call.on('timeout', () => call.destroy(new GrabberError('ACT_DEADLINE', 'the running grabber does not answer')))
    call.on('error', (cause) =>
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
    call.end(payload)
  })
}
