/**
 * The command line's way to a running daemon: JSON over HTTP on its control socket. Runs in commands.
 */
import { request } from 'node:http'
import { type CodedError, fromCoded, GrabberError } from '../../core/errors.ts'

const ANSWER_MS = 30_000

export interface ControlClient {
  get<T>(path: string): Promise<T>
  post<T>(path: string, body: object): Promise<T>
  delete<T>(path: string): Promise<T>
}

type Answer<T> = { ok: true; data: T } | { ok: false; error: Omit<CodedError, 'remedy'> & { remedy?: string } }

/** Rejects with the daemon's coded error, or with ACT_DEADLINE when it does not answer. */
export function controlClient(socketPath: string): ControlClient {
  const call = <T>(method: string, path: string, body?: object) => ask<T>(socketPath, method, path, body)
  return {
    get: (path) => call('GET', path),
    post: (path, body) => call('POST', path, body),
    delete: (path) => call('DELETE', path),
  }
}

function ask<T>(socketPath: string, method: string, path: string, body?: object): Promise<T> {
  const text = body === undefined ? undefined : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) =>
      reject(new GrabberError('ACT_DEADLINE', 'the running daemon does not answer on its control socket', { cause }))
    const headers =
      text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
    const sent = request({ socketPath, method, path, headers, timeout: ANSWER_MS }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', fail)
      response.on('end', () => {
        try {
          resolve(unwrap<T>(JSON.parse(Buffer.concat(chunks).toString()) as Answer<T>))
        } catch (error) {
          if (error instanceof GrabberError) reject(error)
          else fail(error as Error)
        }
      })
    })
    sent.on('timeout', () => sent.destroy(new Error(`no answer in ${ANSWER_MS} ms`)))
    sent.on('error', fail)
    sent.end(text)
  })
}

function unwrap<T>(answer: Answer<T>): T {
  if (answer.ok) return answer.data
  const { code, message, remedy } = answer.error
  throw remedy === undefined ? new GrabberError(code, message) : fromCoded({ code, message, remedy })
}
