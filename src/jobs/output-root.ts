/**
 * The folder that results go to, `--out`: made, tried, locked, and which name in it a recording has. Runs in the command that owns
 * it. Must never touch what is no result of ours, nor give the result of one recording to another.
 */
import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { rm, stat, writeFile } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { GrabberError } from '../../core/errors.ts'
import { madeFolder } from '../store/made-folder.ts'
import { holdFileLock } from '../store/sqlite.ts'
import { type FinishedResult, readFinished } from './finished-result.ts'
import { outputError } from './output-error.ts'
import { oldName } from './part-folder.ts'

const LOCK_FILE = '.grabber.lock'
/** Names of files have 255 bytes at most; ours get a dot before and an ending behind. */
const MAX_STEM_BYTES = 200
const SUFFIX_DIGITS = 6

/** Where a recording's result is, or is to be. */
export interface Place {
  /** Name of the folder. */
  name: string
  /** What is there already, of the same recording. */
  finished: FinishedResult | undefined
  /** Another file of this command with the same bytes and the same name, which this place is for. */
  sameAs?: string
}

export class OutputRoot implements Disposable {
  readonly path: string
  readonly #lock: { release(): void }
  /** Names that this process gave, in lower case, and to what. */
  readonly #given = new Map<string, { path: string; contentHash: string }>()

  private constructor(path: string, lock: { release(): void }) {
    this.path = path
    this.#lock = lock
  }

  /** STO_OUTPUT, STO_FULL; STO_LOCKED while another process has it. */
  static async open(path: string): Promise<OutputRoot> {
    try {
      madeFolder(path, 0o777)
      // The lock alone would need no room and no right to make a file where it is there from before.
      const trial = join(path, `.grabber.${process.pid}.trial`)
      // On a full disk the file is made, and its content is not.
      await writeFile(trial, 'trial').finally(() => rm(trial, { force: true }))
    } catch (error) {
      if (statSync(path, { throwIfNoEntry: false })?.isFile())
        throw new GrabberError('CFG_USAGE', `${path} is a file`, { remedy: 'give a folder with --out' })
      throw outputError(error, path)
    }
    const lock = holdFileLock(join(path, LOCK_FILE))
    if (!lock)
      throw new GrabberError('STO_LOCKED', `another grabber works in ${path}`, {
        remedy: 'wait until it is done, or give another folder with --out',
      })
    const root = new OutputRoot(path, lock)
    root.#restore()
    return root
  }

  /**
   * The place of a recording: its stem, or with six digits of its content where another recording has that name, or `shared`
   * says that one is about to.
   */
  async place(path: string, contentHash: string, shared: boolean): Promise<Place> {
    const stem = stemOf(path)
    const exact = `${stem}-${contentHash.slice(0, SUFFIX_DIGITS)}`
    const results = new Map<string, FinishedResult | undefined>()
    for (const name of [stem, exact]) {
      const finished = await readFinished(join(this.path, name))
      results.set(name, finished)
      const given = this.#given.get(name.toLowerCase())
      if (given?.contentHash === contentHash && given.path !== path) return { name, finished, sameAs: given.path }
      if (finished?.contentHash === contentHash && this.#give(name, path, contentHash)) return { name, finished }
    }
    for (const name of shared ? [exact] : [stem, exact]) {
      const free = results.get(name) === undefined && !(await isThere(join(this.path, name)))
      if (free && this.#give(name, path, contentHash)) return { name, finished: undefined }
    }
    throw new GrabberError('STO_OUTPUT', `${join(this.path, exact)} is there, and is no result of this recording`, {
      remedy: 'move it away, or give another folder with --out',
    })
  }

  [Symbol.dispose](): void {
    this.#lock.release()
  }

  /** File systems that take `A` and `a` for one name exist. */
  #give(name: string, path: string, contentHash: string): boolean {
    const key = name.toLowerCase()
    const before = this.#given.get(key)
    // A file that has changed since then may have the name that it did not use.
    if (before !== undefined && before.contentHash !== contentHash && before.path !== path) return false
    this.#given.set(key, { path, contentHash })
    return true
  }

  /** A process that was killed between two renames: the old result has its name back, unless the new one has it. */
  #restore(): void {
    for (const entry of readdirSync(this.path)) {
      const name = /^\.(.+)\.old$/.exec(entry)?.[1]
      if (name === undefined || entry !== oldName(name)) continue
      const old = join(this.path, entry)
      if (existsSync(join(this.path, name))) rmSync(old, { recursive: true, force: true })
      else renameSync(old, join(this.path, name))
    }
  }
}

/** Name of a recording's result: its file's name without ending, fit for a folder. */
export function stemOf(path: string): string {
  const stem = basename(path, extname(path))
    .replace(/^\.+/, '')
    .replaceAll(/\p{Cc}/gu, '_')
  const letters = [...stem]
  while (Buffer.byteLength(letters.join('')) > MAX_STEM_BYTES) letters.pop()
  return letters.join('') || 'recording'
}

/** Stems, in lower case, that more than one of these files has. */
export function sharedStems(paths: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>()
  const shared = new Set<string>()
  for (const path of paths) {
    const stem = stemOf(path).toLowerCase()
    if (seen.has(stem)) shared.add(stem)
    seen.add(stem)
  }
  return shared
}

const isThere = async (path: string) => (await stat(path).catch(() => undefined)) !== undefined
