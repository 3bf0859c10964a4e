/**
 * A file of a result while it is written: in pieces, to the disk, with failures by their codes. Runs where the job runs.
 * The folder is not yet the result (it is renamed when all is there), so a file that was cut off is nobody's business.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { GrabberError } from '../../core/errors.ts'
import { outputError } from '../jobs/output-error.ts'

/** Text that is gathered before it is written. */
const BUFFER_CHARS = 1 << 16

export class ResultFile implements AsyncDisposable {
  readonly #path: string
  readonly #handle: FileHandle
  #pieces: string[] = []
  #held = 0
  #open = true

  private constructor(path: string, handle: FileHandle) {
    this.#path = path
    this.#handle = handle
  }

  /** A new file; what has its name is replaced. STO_OUTPUT, STO_FULL. */
  static async create(path: string): Promise<ResultFile> {
    return new ResultFile(path, await named(path, () => open(path, 'w')))
  }

  async write(text: string): Promise<void> {
    this.#pieces.push(text)
    this.#held += text.length
    if (this.#held >= BUFFER_CHARS) await this.#flush()
  }

  /** All of it is on the disk. */
  async finish(): Promise<void> {
    await this.#flush()
    await named(this.#path, () => this.#handle.sync())
    await this[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#open) return
    this.#open = false
    await this.#handle.close()
  }

  async #flush(): Promise<void> {
    const text = this.#pieces.join('')
    this.#pieces = []
    this.#held = 0
    await named(this.#path, () => this.#handle.writeFile(text))
  }
}

export async function writeResultFile(path: string, text: string): Promise<void> {
  await using file = await ResultFile.create(path)
  await file.write(text)
  await file.finish()
}

/** https://sqlite.org/rescode.html */
const SQLITE_FULL = 13

/** `action`, whose failures on the file system become STO_FULL and STO_OUTPUT. */
export async function named<T>(path: string, action: () => T | Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    throw fileError(error, path)
  }
}

/** What SQLite could not write has its own number for a full disk. */
function fileError(error: unknown, path: string): unknown {
  const cause = error instanceof GrabberError ? error.cause : error
  if (cause instanceof Error && 'errcode' in cause && cause.errcode === SQLITE_FULL)
    return new GrabberError('STO_FULL', `there is no room for ${path}`, { cause: error })
  return outputError(error, path)
}
