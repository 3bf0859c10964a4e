/**
 * Keeps the pictures of a camera on disk: the best of each track, keyframes that were asked for. Session host only.
 * Owns the files of its camera's folder that it writes: temporary name, then rename, so that a reader never sees a half.
 */
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export class PictureFolder {
  readonly #dir: string
  readonly #camera: string
  #writing: Promise<unknown> = Promise.resolve()

  constructor(dir: string, camera: string) {
    this.#dir = dir
    this.#camera = camera
  }

  /** Writes in the background, one after the other; returns the name relative to the pictures' folder. */
  keep(name: string, bytes: Buffer, onError: (error: unknown) => void): string {
    const path = join(this.#camera, name)
    this.#writing = this.#writing.then(() => this.#write(path, bytes)).catch(onError)
    return path
  }

  async flush(): Promise<void> {
    await this.#writing
  }

  async #write(name: string, bytes: Buffer): Promise<void> {
    const path = join(this.#dir, name)
    await mkdir(join(this.#dir, this.#camera), { recursive: true })
    await writeFile(`${path}.part`, bytes)
    await rename(`${path}.part`, path)
  }
}
