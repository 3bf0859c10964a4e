/**
 * By which a request is found again in the log: the caller's own id, or a fresh one. Pure but for the fresh id.
 */
import { randomUUID } from 'node:crypto'

const VALID = /^[A-Za-z0-9._:-]{1,64}$/
const HEADERS = ['nats-request-id', 'x-request-id']

export const REQUEST_ID_FORM = '1 to 64 letters, digits, ".", "_", ":" or "-"'

/** The field of the input comes before the headers. `undefined` when what was given cannot be one. */
export function requestIdOf(field: unknown, headers: Record<string, string | undefined>): string | undefined {
  const given = field === undefined ? headerOf(headers) : field
  if (given === undefined) return freshRequestId()
  return typeof given === 'string' && VALID.test(given) ? given : undefined
}

export const freshRequestId = (): string => randomUUID()

/** Names of headers have no case in HTTP; NATS keeps that of the sender. */
function headerOf(headers: Record<string, string | undefined>): string | undefined {
  return Object.entries(headers).find(([name]) => HEADERS.includes(name.toLowerCase()))?.[1]
}
