/**
 * JSON lines to a file or stdout. Runs in commands. A file is written under a temporary name and renamed by `commit`, so that
 * nothing half written is left behind.
 */
import { createWriteStream, type WriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { finished } from 'node:stream/promises'
import { GrabberError } from '../../core/errors.ts'
import type { CliContext, Output } from './context.ts'

export class LineFile implements AsyncDisposable {
  readonly #output: Output | undefined
  #committed = false
  readonly #file: { stream: WriteStream; path: string } | undefined

  private constructor(output: Output | undefined, file?: { stream: WriteStream; path: string }) {
    this.#output = output
    this.#file = file
  }

  /** `-` is stdout, `undefined` nowhere. CFG_USAGE when the file cannot be written. */
  static async open({ stdout, cwd }: CliContext, target: string | undefined): Promise<LineFile> {
    if (target === undefined) return new LineFile(undefined)
    if (target === '-') return new LineFile(stdout)
    const path = resolve(cwd, target)
    const stream = createWriteStream(`${path}.part`)
    try {
      await new Promise((opened, failed) => stream.once('open', opened).once('error', failed))
    } catch (cause) {
      throw new GrabberError('CFG_USAGE', `${target} cannot be written`, {
        cause,
        remedy: 'check the folder and its permissions',
      })
    }
    return new LineFile(stream, { stream, path })
  }

  write(value: object): void {
    this.#output?.write(`${JSON.stringify(value)}\n`)
  }

  /** Closes the file and gives it its name. */
  async commit(): Promise<void> {
    if (!this.#file || this.#committed) return
    const { stream, path } = this.#file
    this.#committed = true
    stream.end()
    await finished(stream)
    await rename(`${path}.part`, path)
  }

  /** Takes back what was not committed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#file || this.#committed) return
    const { stream, path } = this.#file
    stream.destroy()
    await rm(`${path}.part`, { force: true })
  }
}
