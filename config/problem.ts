/**
 * What is wrong with a configuration: one entry per mistake, with its place in the file. Pure.
 */
import type { z } from 'zod'
import { nearestKey } from './nearest-key.ts'

export interface ConfigProblem {
  /** Keys joined by dots, such as `cameras.lobby.sorce`; empty for the file as a whole. */
  path: string
  message: string
  /** The known key that was probably meant. */
  nearest?: string
  /** 1-based line in the YAML file. */
  line?: number
  /** Path of the file, where it is not the main one. */
  file?: string
}

export type Path = readonly PropertyKey[]

/** `line 7: cameras.lobby.sorce: unknown key, did you mean source?` */
export function problemLine({ path, message, nearest, line, file }: ConfigProblem): string {
  const meant = nearest === undefined ? '' : `, did you mean ${nearest}?`
  const where = [file, line === undefined ? undefined : `line ${line}`].filter((part) => part !== undefined).join(' ')
  return [where === '' ? '' : `${where}: `, path === '' ? '' : `${path}: `, message, meant].join('')
}

/** The problems in zod's issues, one per unknown key; `schema` is what was parsed with, and tells the known keys. */
export function problemsOf(issues: readonly z.core.$ZodIssue[], schema: z.core.$ZodType): ConfigProblem[] {
  return issues.flatMap((issue): ConfigProblem[] => {
    if (issue.code === 'unrecognized_keys') {
      const known = knownKeys(schemaAt(schema, issue.path))
      return issue.keys.map((key) => {
        const nearest = nearestKey(key, known)
        const message = nearest === undefined ? `unknown key, known are ${known.join(', ')}` : 'unknown key'
        return { path: dotted([...issue.path, key]), message, ...(nearest === undefined ? {} : { nearest }) }
      })
    }
    if (issue.code === 'invalid_key')
      return [{ path: dotted(issue.path), message: issue.issues[0]?.message ?? 'invalid name' }]
    if (issue.code === 'invalid_value') {
      const given = typeof issue.input === 'string' ? nearestKey(issue.input, issue.values.map(String)) : undefined
      const message = `expected one of ${issue.values.join(', ')}`
      return [{ path: dotted(issue.path), message, ...(given === undefined ? {} : { nearest: given }) }]
    }
    return [{ path: dotted(issue.path), message: issue.message.replace(/^Invalid input: /, '') }]
  })
}

export const dotted = (path: Path): string => path.map(String).join('.')

/** The schema that applies at `path`, without its wrappers; `undefined` outside of what is known. */
export function schemaAt(schema: z.core.$ZodType, path: Path): z.core.$ZodType | undefined {
  let at: z.core.$ZodType | undefined = schema
  for (const key of path) {
    const def: z.core.$ZodTypeDef | undefined = at && unwrapped(at)._zod.def
    if (def?.type === 'object') at = (def as z.core.$ZodObjectDef).shape[String(key)]
    else if (def?.type === 'record') at = (def as z.core.$ZodRecordDef).valueType
    else return undefined
  }
  return at && unwrapped(at)
}

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  const def = schema._zod.def as { innerType?: z.core.$ZodType }
  return def.innerType ? unwrapped(def.innerType) : schema
}

function knownKeys(schema: z.core.$ZodType | undefined): string[] {
  const def = schema?._zod.def
  return def?.type === 'object' ? Object.keys((def as z.core.$ZodObjectDef).shape) : []
}
