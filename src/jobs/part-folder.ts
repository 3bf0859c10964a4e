/**
 * The unfinished result of one recording, `.<name>.part` beside where it will be: begun or taken up again, and renamed when all of it
 * is on the disk. Runs where the job runs, under the lock of the output folder (output-root). A result is there as a whole
 * or not at all, whenever the process is killed or the power fails.
 */
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { syncPath, syncTree } from './durable.ts'
import { IMAGES_FOLDER } from './finished-result.ts'
import { Journal, type JournalContent, type JournalHead } from './journal.ts'
import { outputError } from './output-error.ts'

const JOURNAL_FILE = 'journal.jsonl'
/** The last bytes of a picture that is complete: JPEG's EOI (ITU-T T.81, B.1.1.3); PNG's IEND chunk with its CRC (RFC 2083, 4.1.4). */
const ENDS: Readonly<Record<string, string>> = { jpg: 'ffd9', png: '49454e44ae426082' }

export const partName = (name: string): string => `.${name}.part`
/** A finished result that another takes the place of, for the moment between two renames. */
export const oldName = (name: string): string => `.${name}.old`

export class PartFolder implements AsyncDisposable {
  readonly #root: string
  readonly #name: string
  /** Of the part. */
  readonly path: string
  readonly journal: Journal
  /** What an earlier process left that holds; of a new one there is nothing but the head. */
  readonly content: JournalContent

  private constructor(root: string, name: string, journal: Journal, content: JournalContent) {
    this.#root = root
    this.#name = name
    this.path = join(root, partName(name))
    this.journal = journal
    this.content = content
  }

  /**
   * Takes up what is there for the same recording, settings and program, and removes what it cannot use; begins anew otherwise, and
   * where `fresh`. STO_OUTPUT, STO_FULL.
   */
  static async open(root: string, name: string, head: JournalHead, fresh: boolean): Promise<PartFolder> {
    const path = join(root, partName(name))
    try {
      const left = fresh ? undefined : Journal.reopen(join(path, JOURNAL_FILE))
      if (left) {
        const { journal, content } = left
        if (same(content.head, head) && (await keepOnly(join(path, IMAGES_FOLDER), content.pictures)))
          return new PartFolder(root, name, journal, content)
        journal[Symbol.dispose]()
      }
      await rm(path, { recursive: true, force: true })
      await mkdir(join(path, IMAGES_FOLDER), { recursive: true })
      const journal = Journal.create(join(path, JOURNAL_FILE), head)
      return new PartFolder(root, name, journal, { head, mark: null, end: null, pictures: new Set() })
    } catch (error) {
      throw outputError(error, path)
    }
  }

  get images(): string {
    return join(this.path, IMAGES_FOLDER)
  }

  /** The folder of the result. */
  get target(): string {
    return join(this.#root, this.#name)
  }

  /** Gives the result its name, in the place of an older one of ours. STO_OUTPUT, STO_FULL. */
  async publish(): Promise<void> {
    this.journal[Symbol.dispose]()
    const old = join(this.#root, oldName(this.#name))
    try {
      await syncTree(this.path)
      await rm(old, { recursive: true, force: true })
      if (await exists(this.target)) await rename(this.target, old)
      await rename(this.path, this.target)
      await syncPath(this.#root)
      // From here on it is finished; what is left of the work goes, now or at the next look.
      await rm(join(this.target, JOURNAL_FILE), { force: true })
      await rm(old, { recursive: true, force: true })
    } catch (error) {
      throw outputError(error, this.target)
    }
  }

  /** Removes all of it: nothing of it can be used again. STO_OUTPUT. */
  async discard(): Promise<void> {
    this.journal[Symbol.dispose]()
    await rm(this.path, { recursive: true, force: true }).catch((error: unknown) => {
      throw outputError(error, this.path)
    })
  }

  /** What is unfinished stays for the next time. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.journal[Symbol.dispose]()
  }
}

const same = (a: JournalHead, b: JournalHead) =>
  a.version === b.version && a.contentHash === b.contentHash && a.settings === b.settings

/** Removes every picture that is not among `names`; false when one of these is not there as a whole. */
async function keepOnly(folder: string, names: ReadonlySet<string>): Promise<boolean> {
  await mkdir(folder, { recursive: true })
  for (const name of await readdir(folder))
    if (!names.has(name)) await rm(join(folder, name), { recursive: true, force: true })
  for (const name of names) if (!(await isWhole(join(folder, name)))) return false
  return true
}

/** A power failure may leave a file without its last blocks. */
async function isWhole(path: string): Promise<boolean> {
  const end = Buffer.from(ENDS[path.slice(path.lastIndexOf('.') + 1)] ?? '', 'hex')
  if (!(await exists(path))) return false
  await using file = await open(path)
  const { size } = await file.stat()
  const tail = Buffer.alloc(end.length)
  await file.read(tail, 0, end.length, Math.max(0, size - end.length))
  return size > end.length && tail.equals(end)
}

const exists = async (path: string) => (await stat(path).catch(() => undefined)) !== undefined
