/**
 * A route as data: where, and what it answers. Knows nothing of fastify, so that routes can be read as a table.
 * Runs in the daemon.
 */
import type { z } from 'zod'
import { GrabberError } from '../../core/errors.ts'

export interface Request {
  params: Record<string, string>
  query: unknown
  body: unknown
  /** Names in lower case; of one that comes several times, the first. */
  headers: Record<string, string | undefined>
  /** Address of the other side; `null` on a Unix socket. */
  peer: string | null
}

/** `data` is wrapped as `{ok:true,data}`; the others are sent as they are. */
export type Reply = { status?: number } & (
  | { data: unknown }
  | { body: object }
  | { text: string; contentType: string }
  | { bytes: Buffer; contentType: string }
)

export interface Route {
  method: 'GET' | 'POST' | 'DELETE'
  path: string
  /** Less than the server's own. */
  bodyLimitBytes?: number
  answer(request: Request): Reply | Promise<Reply>
}

/** Input checked against its schema; throws API_BAD_REQUEST naming every field that is wrong, without its value. */
export function parsed<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const result = schema.safeParse(input ?? {})
  if (result.success) return result.data
  const problems = result.error.issues
    .slice(0, 10)
    .map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`)
  throw new GrabberError('API_BAD_REQUEST', problems.join('; '))
}
