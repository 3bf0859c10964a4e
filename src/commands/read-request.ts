/**
 * What a door was given, as the input of a command. Pure. Must never repeat what is in it.
 */
import { GrabberError } from '../../core/errors.ts'

/** A camera with every option is under 2 KiB. */
export const MAX_INPUT_BYTES = 64 * 1024

/** JSON text as bytes, or what a door has parsed already, or why the door refuses it. */
export type RawInput = { bytes: Uint8Array } | { value: unknown } | { refusal: GrabberError }

export interface ReadRequest {
  /** The field `requestId`, which is no part of a command's input. */
  requestId: unknown
  input: Record<string, unknown>
}

/** Nothing at all is an empty input. API_BAD_REQUEST, or the door's refusal. */
export function readRequest(raw: RawInput): ReadRequest {
  if ('refusal' in raw) throw raw.refusal
  const value = 'bytes' in raw ? parse(raw.bytes) : (raw.value ?? {})
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badRequest('expected a JSON object')
  const { requestId, ...input } = value as Record<string, unknown>
  return { requestId, input }
}

export const badRequest = (message: string) => new GrabberError('API_BAD_REQUEST', message)

function parse(bytes: Uint8Array): unknown {
  if (bytes.byteLength > MAX_INPUT_BYTES) throw badRequest(`larger than ${MAX_INPUT_BYTES} bytes`)
  if (bytes.byteLength === 0) return {}
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    // Its words quote the text.
    throw badRequest('not valid JSON')
  }
}
