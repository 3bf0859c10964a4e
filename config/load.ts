/**
 * Finds, reads and checks the configuration; all problems are reported at once. Runs in the daemon and in commands.
 * One of the few places that looks at the environment, which is handed in. Must never put a secret into a message.
 */
import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'
import { GrabberError } from '../core/errors.ts'
import { type AddedCameras, addCameras } from './added-cameras.ts'
import { CAMERA_FILE, type CameraFileText } from './camera-file.ts'
import { cameraSchema } from './camera-schema.ts'
import { environmentOverrides } from './environment.ts'
import { dataFolderOf, type FileOptions, findMainFile, readTextFile } from './main-file.ts'
import { type ConfigProblem, dotted, type Path, problemLine, problemsOf } from './problem.ts'
import { resolveReferences } from './references.ts'
import { type Config, configSchema } from './schema.ts'
import { maskReferences, unmaskReferences } from './secrets.ts'
import { resolveSource } from './source.ts'
import { readYaml } from './yaml-file.ts'

export interface LoadOptions extends FileOptions {
  /** In the place of `cameras.yaml` in the data folder: what it would be after a change. */
  cameraFile?: CameraFileText
}

export interface ConfigOrigin {
  /** Absolute path of the file, `null` when there is none. */
  file: string | null
  /** Environment variables that took effect. */
  overrides: string[]
}

/** Where a camera is written, and how: with its references as they stand there. */
export interface WrittenCamera {
  /** `command`: in `cameras.yaml` of the data folder. */
  by: 'file' | 'command'
  camera: unknown
}

export interface LoadedConfig {
  /** A camera that was stopped by command is not `enabled` in it. */
  config: Config
  origin: ConfigOrigin
  /** SHA-256 of the main file's text; `null` when there is no file. */
  digest: string | null
  written: ReadonlyMap<string, WrittenCamera>
  /** Cameras that were stopped by command. */
  stopped: readonly string[]
  /** Cameras of both files: what `cameras.yaml` says of them does not count. */
  shadowed: readonly string[]
}

/**
 * The effective configuration: the main file, the cameras added by command under it, the environment over it.
 * `config.data` and `file:` sources are absolute paths in it; relative ones start at the main file, also those of added
 * cameras. Throws CFG_UNREADABLE, or CFG_INVALID with `context.problems: ConfigProblem[]`.
 */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const { file, folder, text } = findMainFile(options)
  const yaml = readYaml(maskReferences(text))
  if (yaml.problems.length > 0) throw invalid(file, yaml.problems)

  const problems: ConfigProblem[] = []
  const report = (path: Path, message: string) => problems.push({ path: dotted(path), message })
  const resolveAt = (value: unknown, path: Path) => resolveReferences(value, { env: options.env, folder }, report, path)
  const overrides = environmentOverrides(options.env, report)
  const main = overrides.apply(resolveAt(yaml.value ?? {}, []), options.cwd)
  const added = addCameras(main, options.cameraFile ?? cameraFileIn(dataFolderOf(main, folder)), resolveAt)

  const result = configSchema.safeParse(added.document, { reportInput: true })
  if (!result.success) problems.push(...problemsOf(result.error.issues, configSchema), ...insideBadlyNamed(added))
  const all = [...located(problems, added, yaml.lineOf, overrides.variableAt), ...added.problems]
  if (all.length > 0 || !result.data) throw invalid(file, all)

  const config = result.data
  config.data = resolve(folder, config.data)
  for (const camera of Object.values(config.cameras)) camera.source = resolveSource(camera.source, folder)
  const stopped = added.stopped.filter((id) => Object.hasOwn(config.cameras, id))
  for (const id of stopped) config.cameras[id]!.enabled = false
  return {
    config,
    origin: { file, overrides: overrides.names },
    digest: file === null ? null : digestOf(text),
    written: writtenCameras(yaml.value, added),
    stopped,
    shadowed: added.shadowed,
  }
}

function cameraFileIn(data: string): CameraFileText {
  const path = join(data, CAMERA_FILE)
  return { path, text: readTextFile(path) ?? '' }
}

/** By which two versions of the main file are told apart. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function writtenCameras(main: unknown, { cameras }: AddedCameras): Map<string, WrittenCamera> {
  const ofFile = (main as { cameras?: object | null } | undefined)?.cameras ?? {}
  const entries = (from: object, by: WrittenCamera['by']) =>
    Object.entries(unmaskReferences(from)).map(([id, camera]): [string, WrittenCamera] => [id, { by, camera }])
  return new Map([...entries(ofFile, 'file'), ...entries(cameras, 'command')])
}

/** zod does not look into an entry whose key it refuses; this does, so that nothing is left for the next try. */
function insideBadlyNamed({ document }: AddedCameras): ConfigProblem[] {
  const cameras = (document as { cameras?: unknown } | null)?.cameras
  if (typeof cameras !== 'object' || cameras === null) return []
  const names = configSchema.shape.cameras.unwrap().keyType
  return Object.entries(cameras).flatMap(([name, camera]) => {
    if (names.safeParse(name).success) return []
    const issues = cameraSchema.safeParse(camera, { reportInput: true }).error?.issues ?? []
    return problemsOf(issues, cameraSchema).map((problem) => ({ ...problem, path: `cameras.${name}.${problem.path}` }))
  })
}

/** One problem per path (the first one found), with its line or its variable, in the order of the files. */
function located(
  problems: ConfigProblem[],
  added: AddedCameras,
  lineOf: (path: Path) => number | undefined,
  variableAt: (path: string) => string | undefined,
): ConfigProblem[] {
  const first = new Map<string, ConfigProblem>()
  for (const given of problems) {
    if (first.has(given.path)) continue
    const problem = added.locate(given)
    const variable = variableAt(problem.path)
    const line = problem.line ?? (variable === undefined ? lineOf(problem.path.split('.')) : undefined)
    const message = variable === undefined ? problem.message : `${problem.message} (from ${variable})`
    first.set(problem.path, { ...problem, message, ...(line === undefined ? {} : { line }) })
  }
  const isAdded = ({ file }: ConfigProblem) => Number(file !== undefined)
  return [...first.values()].sort((a, b) => isAdded(a) - isAdded(b) || (a.line ?? 0) - (b.line ?? 0))
}

function invalid(file: string | null, problems: ConfigProblem[]): GrabberError {
  const [first] = problems
  const where = first?.file === undefined ? `${file ?? 'the configuration'}: ` : ''
  const message =
    problems.length === 1
      ? `${where}${problemLine(first!)}`
      : `${file ?? 'the configuration'} has ${problems.length} problems`
  return new GrabberError('CFG_INVALID', message, { context: { file, problems } })
}
