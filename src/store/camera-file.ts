/**
 * The file of the cameras that were added or stopped by command, in the data folder. Runs in the daemon, which owns the folder; one
 * write at a time. A reader, and the next start after a cut of power, sees the old file or the new one, never a part.
 */
import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CAMERA_FILE, type CameraFileText } from '../../config/camera-file.ts'
import { GrabberError } from '../../core/errors.ts'

export class CameraFileStore {
  readonly path: string

  constructor(dataDir: string) {
    this.path = join(dataDir, CAMERA_FILE)
  }

  /** Empty when there is none. STO_UNUSABLE. */
  async read(): Promise<CameraFileText> {
    try {
      return { path: this.path, text: await readFile(this.path, 'utf8') }
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { path: this.path, text: '' }
      throw this.#unusable('read', cause)
    }
  }

  /** Resolves when it is on the disk. STO_UNUSABLE; the file is then as it was. */
  async write(text: string): Promise<void> {
    const partial = `${this.path}.partial`
    try {
      // One that a cut-off write left may have another mode.
      await rm(partial, { force: true })
      await writeThrough(partial, text)
      await rename(partial, this.path)
      await syncFolder(dirname(this.path))
    } catch (cause) {
      throw this.#unusable('written', cause)
    }
  }

  #unusable(done: string, cause: unknown): GrabberError {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown reason'
    return new GrabberError('STO_UNUSABLE', `${this.path} cannot be ${done} (${reason})`, { cause })
  }
}

async function writeThrough(path: string, text: string): Promise<void> {
  await using file = await open(path, 'wx', 0o600)
  await file.writeFile(text)
  await file.sync()
}

/** The rename itself is in the folder. */
async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r')
  await folder.sync()
}
