/**
 * The main configuration file: which one is meant, its text, and the data folder that it names. Runs wherever the
 * configuration is loaded.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { GrabberError } from '../core/errors.ts'
import { environmentOverrides } from './environment.ts'
import { resolveReferences } from './references.ts'
import { configSchema } from './schema.ts'
import { maskReferences } from './secrets.ts'
import { readYaml } from './yaml-file.ts'

const DEFAULT_FILE = 'grabber.yaml'

export interface FileOptions {
  /** The file given by the person; without it `./grabber.yaml` is used when it exists, and else the defaults. */
  path?: string
  env: Record<string, string | undefined>
  cwd: string
}

export interface MainFile {
  /** Absolute path, `null` when there is none. */
  file: string | null
  /** Where relative paths in it start. */
  folder: string
  text: string
}

/** CFG_UNREADABLE. */
export function findMainFile({ path, cwd }: FileOptions): MainFile {
  const usual = resolve(cwd, DEFAULT_FILE)
  const file = path !== undefined ? resolve(cwd, path) : existsSync(usual) ? usual : null
  if (file === null) return { file, folder: cwd, text: '' }
  const text = readTextFile(file)
  if (text === undefined) throw unreadable(file, 'ENOENT')
  return { file, folder: dirname(file), text }
}

/** `undefined` when there is no such file. CFG_UNREADABLE. */
export function readTextFile(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unreadable'
    if (reason === 'ENOENT') return undefined
    throw unreadable(file, reason, cause)
  }
}

/** The data folder of a document with its references and overrides resolved; the default where it names none. */
export function dataFolderOf(document: unknown, folder: string): string {
  const written = (document as { data?: unknown } | null)?.data
  const standard = configSchema.shape.data.parse(undefined)
  return resolve(folder, typeof written === 'string' && written !== '' ? written : standard)
}

/**
 * The data folder that the configuration means, also while the rest of it is wrong: for commands that ask a running daemon.
 * CFG_UNREADABLE unless the environment names it.
 */
export function findDataFolder(options: FileOptions): string {
  const ignore = () => undefined
  const { env, cwd } = options
  const { folder, text } = env.GRABBER_DATA ? { folder: cwd, text: '' } : findMainFile(options)
  const document = resolveReferences(readYaml(maskReferences(text)).value ?? {}, { env, folder }, ignore)
  return dataFolderOf(environmentOverrides(env, ignore).apply(document, cwd), folder)
}

function unreadable(file: string, reason: string, cause?: unknown): GrabberError {
  return new GrabberError('CFG_UNREADABLE', `${file} cannot be read (${reason})`, cause === undefined ? {} : { cause })
}
