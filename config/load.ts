/**
 * Finds, reads and checks the configuration; all problems are reported at once. Runs in the daemon and in commands.
 * One of the few places that looks at the environment, which is handed in. Must never put a secret into a message.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { GrabberError } from '../core/errors.ts'
import { cameraSchema } from './camera-schema.ts'
import { environmentOverrides } from './environment.ts'
import { type ConfigProblem, dotted, type Path, problemLine, problemsOf, schemaAt } from './problem.ts'
import { type Config, configSchema } from './schema.ts'
import { literalSecret, maskReferences, type SecretSources, substitute } from './secrets.ts'
import { resolveSource } from './source.ts'
import { readYaml } from './yaml-file.ts'

const DEFAULT_FILE = 'grabber.yaml'

export interface LoadOptions {
  /** The file given by the person; without it `./grabber.yaml` is used when it exists, and else the defaults. */
  path?: string
  env: Record<string, string | undefined>
  cwd: string
}

export interface ConfigOrigin {
  /** Absolute path of the file, `null` when there is none. */
  file: string | null
  /** Environment variables that took effect. */
  overrides: string[]
}

export interface LoadedConfig {
  config: Config
  origin: ConfigOrigin
}

/**
 * The effective configuration. `config.data` and `file:` sources are absolute paths in it.
 * Throws CFG_UNREADABLE, or CFG_INVALID with `context.problems: ConfigProblem[]`.
 */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const file = findFile(options)
  const folder = file === null ? options.cwd : dirname(file)
  const yaml = readYaml(file === null ? '' : maskReferences(readText(file)))
  if (yaml.problems.length > 0) throw invalid(file, yaml.problems)

  const problems: ConfigProblem[] = []
  const report = (path: Path, message: string) => problems.push({ path: dotted(path), message })
  const written = resolveReferences(yaml.value ?? {}, { env: options.env, folder }, report)
  const overrides = environmentOverrides(options.env, report)
  const merged = overrides.apply(written, options.cwd)

  const result = configSchema.safeParse(merged, { reportInput: true })
  if (!result.success) problems.push(...problemsOf(result.error.issues, configSchema), ...insideBadlyNamed(merged))
  if (problems.length > 0 || !result.data) throw invalid(file, located(problems, yaml.lineOf, overrides.variableAt))

  const config = result.data
  config.data = resolve(folder, config.data)
  for (const camera of Object.values(config.cameras)) camera.source = resolveSource(camera.source, folder)
  return { config, origin: { file, overrides: overrides.names } }
}

function findFile({ path, cwd }: LoadOptions): string | null {
  if (path !== undefined) return resolve(cwd, path)
  const usual = resolve(cwd, DEFAULT_FILE)
  return existsSync(usual) ? usual : null
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unreadable'
    throw new GrabberError('CFG_UNREADABLE', `${file} cannot be read (${reason})`, { cause })
  }
}

/** A copy of `value` with secrets substituted, and without sections that are written but empty (`cameras:`). */
function resolveReferences(
  value: unknown,
  sources: SecretSources,
  report: (path: Path, message: string) => void,
  path: Path = [],
): unknown {
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

/** zod does not look into an entry whose key it refuses; this does, so that nothing is left for the next try. */
function insideBadlyNamed(merged: unknown): ConfigProblem[] {
  const cameras = (merged as { cameras?: unknown }).cameras
  if (typeof cameras !== 'object' || cameras === null) return []
  const names = configSchema.shape.cameras.unwrap().keyType
  return Object.entries(cameras).flatMap(([name, camera]) => {
    if (names.safeParse(name).success) return []
    const issues = cameraSchema.safeParse(camera, { reportInput: true }).error?.issues ?? []
    return problemsOf(issues, cameraSchema).map((problem) => ({ ...problem, path: `cameras.${name}.${problem.path}` }))
  })
}

/** One problem per path (the first one found), with its line or its variable, in the order of the file. */
function located(
  problems: ConfigProblem[],
  lineOf: (path: Path) => number | undefined,
  variableAt: (path: string) => string | undefined,
): ConfigProblem[] {
  const first = new Map<string, ConfigProblem>()
  for (const problem of problems) {
    if (first.has(problem.path)) continue
    const variable = variableAt(problem.path)
    const line = variable === undefined ? lineOf(problem.path.split('.')) : undefined
    const message = variable === undefined ? problem.message : `${problem.message} (from ${variable})`
    first.set(problem.path, { ...problem, message, ...(line === undefined ? {} : { line }) })
  }
  return [...first.values()].sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
}

function invalid(file: string | null, problems: ConfigProblem[]): GrabberError {
  const where = file ?? 'the configuration'
  const message =
    problems.length === 1 ? `${where}: ${problemLine(problems[0]!)}` : `${where} has ${problems.length} problems`
  return new GrabberError('CFG_INVALID', message, { context: { file, problems } })
}
