/**
 * One log record as a short line for a person at a terminal. Pure text.
 */

const colours: Record<string, string> = { debug: '\x1b[2m', info: '\x1b[36m', warn: '\x1b[33m', error: '\x1b[31m' }
const RESET = '\x1b[0m'
const hidden = new Set(['time', 'level', 'pid', 'msg'])
const MAX_FIELD_CHARACTERS = 120

/** `12:30:01 warn  camera stalled camera=yard ageMs=20113`; the input is one JSON line as pino writes it. */
export function humanLine(json: string, colour: boolean): string {
  const record = JSON.parse(json) as Record<string, unknown>
  const level = String(record.level)
  const name = colour ? `${colours[level] ?? ''}${level.padEnd(5)}${RESET}` : level.padEnd(5)
  const fields = Object.entries(record)
    .filter(([key]) => !hidden.has(key))
    .map(([key, value]) => ` ${key}=${short(value)}`)
  return `${String(record.time).slice(11, 19)} ${name} ${String(record.msg ?? '')}${fields.join('')}\n`
}

function short(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return value
  const error = value as { code?: string; message?: string } | null
  const text =
    typeof error === 'object' && error?.message !== undefined
      ? `${error.code ?? 'error'}: ${error.message}`
      : (JSON.stringify(value) ?? 'undefined')
  return text.length > MAX_FIELD_CHARACTERS ? `${text.slice(0, MAX_FIELD_CHARACTERS)}…` : text
}
