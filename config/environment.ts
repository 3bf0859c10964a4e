/**
 * The environment variables that override the file. Pure: the environment is handed in.
 */
import { resolve } from 'node:path'
import { dotted, type Path } from './problem.ts'

interface Override {
  variable: string
  path: readonly string[]
  /** The value as the schema wants it; `undefined` when the text cannot be one. */
  read(text: string, cwd: string): unknown
}

/** Every variable that takes the place of a field. docs/configuration.md lists them. */
export const overrideTable: readonly Override[] = [
  // A path on the command line or in a unit file starts where the program starts, not at the configuration file.
  { variable: 'GRABBER_DATA', path: ['data'], read: (text, cwd) => resolve(cwd, text) },
  { variable: 'GRABBER_LOG_LEVEL', path: ['log', 'level'], read: (text) => text },
  { variable: 'GRABBER_NATS_URL', path: ['nats', 'url'], read: (text) => text },
  {
    variable: 'GRABBER_HTTP_PORT',
    path: ['http', 'port'],
    read: (text) => (/^\d+$/.test(text) ? Number(text) : undefined),
  },
  { variable: 'GRABBER_NODE', path: ['node'], read: (text) => text },
]

export interface EnvironmentOverrides {
  /** Variables that are set. */
  names: string[]
  /** The variable that set the field at this dotted path. */
  variableAt(path: string): string | undefined
  /** A copy of `written` with the overrides in it. */
  apply(written: unknown, cwd: string): unknown
}

/** An empty variable counts as not set, as is usual in unit files and Compose. */
export function environmentOverrides(
  env: Record<string, string | undefined>,
  report: (path: Path, message: string) => void,
): EnvironmentOverrides {
  const active = overrideTable.filter(({ variable }) => env[variable])
  return {
    names: active.map(({ variable }) => variable),
    variableAt: (path) => active.find((override) => dotted(override.path) === path)?.variable,
    apply(written, cwd) {
      if (typeof written !== 'object' || written === null || Array.isArray(written)) return written
      const merged: Record<string, unknown> = { ...written }
      for (const { variable, path, read } of active) {
        const value = read(env[variable]!, cwd)
        if (value === undefined) report(path, 'expected a number')
        else set(merged, path, value)
      }
      return merged
    },
  }
}

function set(target: Record<string, unknown>, [key, ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    target[key!] = value
    return
  }
  const section = target[key!]
  // A section that is not a mapping is left for the schema to complain about.
  if (section !== undefined && (typeof section !== 'object' || section === null)) return
  const copy = { ...(section as Record<string, unknown> | undefined) }
  target[key!] = copy
  set(copy, rest, value)
}
