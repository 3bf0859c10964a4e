/**
 * `--source`, `--set analysis.fps=10` and `--unset priority` as the fields of a camera. Pure.
 */
import { resolveSource } from '../../config/source.ts'
import { usage } from './context.ts'

export interface FieldFlags {
  source?: string
  set?: string[]
  unset?: string[]
}

/** `null` for what is to be removed. A relative `file:` path starts at `cwd`. CFG_USAGE. */
export function cameraFields({ source, set = [], unset = [] }: FieldFlags, cwd: string): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  if (source !== undefined) fields.source = source
  for (const text of set) {
    const [, path, value] = /^([^=]+)=(.*)$/s.exec(text) ?? []
    if (path === undefined) throw usage(`--set takes field=value, such as analysis.fps=10; ${text} is not that`)
    put(fields, path, readValue(value!))
  }
  for (const path of unset) put(fields, path, null)
  if (typeof fields.source === 'string') fields.source = resolveSource(fields.source, cwd)
  return fields
}

function put(fields: Record<string, unknown>, path: string, value: unknown): void {
  const keys = path.split('.')
  if (keys.some((key) => key === '' || key === '__proto__')) throw usage(`${path} is not the name of a field`)
  let at = fields
  for (const key of keys.slice(0, -1)) {
    const next = at[key]
    if (typeof next !== 'object' || next === null) at[key] = {}
    at = at[key] as Record<string, unknown>
  }
  at[keys.at(-1)!] = value
}

/** A number, true or false where it reads as one; else text. */
function readValue(text: string): unknown {
  if (/^(?:true|false|-?\d+(?:\.\d+)?)$/.test(text)) return JSON.parse(text)
  return text
}
