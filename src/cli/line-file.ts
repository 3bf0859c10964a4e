/**
 * JSON lines to a file or stdout. Runs in commands. A file is written under a temporary name and renamed by `commit`, so that
 * nothing half written is left behind; a device or a pipe is written as it is, and never replaced by a file.
 */
import { createWriteStream, type WriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { finished } from 'node:stream/promises'
import { GrabberError } from '../../core/errors.ts'
import type { CliContext, Output } from './context.ts'

interface OpenFile {
  stream: WriteStream
  /** What is written to; another than `path` until it is committed. */
  temporary: string
  path: string
  /** As the command line named it. */
  target: string
}

export class LineFile implements AsyncDisposable {
  readonly #output: Output | undefined
  readonly #file: OpenFile | undefined
  #committed = false

  private constructor(output: Output | undefined, file?: OpenFile) {
    this.#output = output
    this.#file = file
  }

  /** `-` is stdout, `undefined` nowhere. CFG_USAGE when the file cannot be written. */
  static async open(
    { stdout, cwd }: Pick<CliContext, 'stdout' | 'cwd'>,
    target: string | undefined,
  ): Promise<LineFile> {
    if (target === undefined) return new LineFile(undefined)
    if (target === '-') return new LineFile(stdout)
    const path = resolve(cwd, target)
    const existing = await stat(path).catch(() => undefined)
    if (existing?.isDirectory()) throw new GrabberError('CFG_USAGE', `${target} is a folder`)
    const temporary = existing && !existing.isFile() ? path : `${path}.part`
    const stream = createWriteStream(temporary)
    try {
      await new Promise((opened, failed) => stream.once('open', opened).once('error', failed))
    } catch (cause) {
      throw new GrabberError('CFG_USAGE', `${target} cannot be written`, {
        cause,
        remedy: 'check the folder and its permissions',
      })
    }
    // A full disk, most likely. `commit` reports it; without a listener Node would end the process.
    stream.on('error', () => undefined)
    return new LineFile(stream, { stream, temporary, path, target })
  }

  write(value: object): void {
    this.#output?.write(`${JSON.stringify(value)}\n`)
  }

  /** Closes the file and gives it its name. STO_UNUSABLE when it could not be written to the end. */
  async commit(): Promise<void> {
    if (!this.#file || this.#committed) return
    const { stream, temporary, path, target } = this.#file
    try {
      await finished(stream.end())
      if (temporary !== path) await rename(temporary, path)
    } catch (cause) {
      throw new GrabberError('STO_UNUSABLE', `${target} could not be written to its end`, {
        cause,
        remedy: 'check the free space',
      })
    }
    this.#committed = true
  }

  /** Takes back what was not committed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#file || this.#committed) return
    const { stream, temporary, path } = this.#file
    stream.destroy()
    if (temporary !== path) await rm(temporary, { force: true })
  }
}
