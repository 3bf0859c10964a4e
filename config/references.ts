/**
 * Secrets of a whole document: every reference substituted, every literal password reported. Runs wherever the configuration
 * is loaded. Must never put a secret into a message.
 */
import { type Path, schemaAt } from './problem.ts'
import { configSchema } from './schema.ts'
import { literalSecret, type SecretSources, substitute } from './secrets.ts'

export type Report = (path: Path, message: string) => void

/**
 * A copy of masked `value` with secrets substituted, and without sections that are written but empty (`cameras:`).
 * `path` is where it stands in the configuration.
 */
export function resolveReferences(value: unknown, sources: SecretSources, report: Report, path: Path = []): unknown {
  if (typeof value === 'string') {
    const literal = literalSecret(value)
    if (literal !== undefined) report(path, literal)
    const { text, problems } = substitute(value, sources)
    for (const problem of problems) report(path, problem)
    return text
  }
  if (Array.isArray(value)) return value.map((item, i) => resolveReferences(item, sources, report, [...path, i]))
  if (value === null || typeof value !== 'object') return value
  const copy: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) {
    if (key === '__proto__') report([...path, key], 'this name is not possible')
    else if (item !== null || !isSection([...path, key]))
      copy[key] = resolveReferences(item, sources, report, [...path, key])
  }
  return copy
}

function isSection(path: Path): boolean {
  const type = schemaAt(configSchema, path)?._zod.def.type
  return type === 'object' || type === 'record'
}
