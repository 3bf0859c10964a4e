/**
 * The folder of an extraction's pictures. Session host only. Owns the files that it writes there: a temporary name, then the right
 * one, so that a picture under its name is complete.
 */
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GrabberError } from '../core/errors.ts'

const NO_SPACE = new Set(['ENOSPC', 'EDQUOT'])

export class ImageFolder {
  readonly #dir: string
  #made: Promise<unknown> | undefined

  /** Is made at the first picture; its parent must be there. */
  constructor(dir: string) {
    this.#dir = dir
  }

  /** Resolves when the picture is there. Errors: STO_FULL, STO_OUTPUT. */
  async write(name: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.#dir, name)
    try {
      this.#made ??= mkdir(this.#dir, { recursive: true })
      await this.#made
      await writeFile(`${path}.part`, bytes)
      await rename(`${path}.part`, path)
    } catch (cause) {
      throw unwritten(cause as NodeJS.ErrnoException)
    }
  }
}

function unwritten(cause: NodeJS.ErrnoException): GrabberError {
  if (NO_SPACE.has(cause.code ?? '')) return new GrabberError('STO_FULL', 'no room for another picture', { cause })
  return new GrabberError('STO_OUTPUT', `a picture cannot be written (${cause.code ?? cause.message})`, { cause })
}
