/**
 * What a log line may hold. Runs in every process that logs. Credentials in URLs, names and embeddings never pass.
 */
import { redactText } from '../../config/redact.ts'

const HIDDEN = '[redacted]'
const MAX_DEPTH = 6
const MAX_ITEMS = 100

// Names are those of people in the gallery; what else has a name in a log says it by its own word (camera, model, file).
const secretKey =
  /^(.*(password|passwd|secret|token|credentials?)|pwd|authorization|cookie|api[-_]?key|x-api-key|names?|embeddings?|probe)$/i

/** A plain copy of `value` that is safe to log: bounded in depth and length, typed arrays only by their size. */
export function redactFields(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return value
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${value.byteLength} bytes)`
  if (depth >= MAX_DEPTH) return '[deeper]'
  if (value instanceof Date) return value
  if (value instanceof Error) return redactError(value, depth)
  if (value instanceof URL) return redactText(value.href)
  if (Array.isArray(value)) {
    const items = value.slice(0, MAX_ITEMS).map((item) => redactFields(item, depth + 1))
    return value.length > MAX_ITEMS ? [...items, `… ${value.length - MAX_ITEMS} more`] : items
  }
  const entries = value instanceof Map ? [...value] : Object.entries(value)
  return Object.fromEntries(
    entries.slice(0, MAX_ITEMS).map(([key, item]) => [
      String(key),
      // An absent secret is worth knowing, and is none.
      secretKey.test(String(key)) && item !== undefined && item !== null ? HIDDEN : redactFields(item, depth + 1),
    ]),
  )
}

function redactError(error: Error, depth: number): Record<string, unknown> {
  const fields = error as Error & { code?: unknown; context?: unknown }
  return {
    type: error.name,
    message: redactText(error.message),
    ...(fields.code === undefined ? {} : { code: fields.code }),
    ...(fields.context === undefined ? {} : { context: redactFields(fields.context, depth + 1) }),
    stack: redactText(error.stack ?? ''),
    ...(error.cause === undefined ? {} : { cause: redactFields(error.cause, depth + 1) }),
  }
}
