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
  keep(stem: string, jpeg: Buffer, onError: (error: unknown) => void): string {
    const name = join(this.#camera, `${stem}.jpg`)
    this.#writing = this.#writing.then(() => this.#write(name, jpeg)).catch(onError)
    return name
  }

  async flush(): Promise<void> {
    await this.#writing
  }

  async #write(name: string, jpeg: Buffer): Promise<void> {
    const path = join(this.#dir, name)
    await mkdir(join(this.#dir, this.#camera), { recursive: true })
    await writeFile(`${path}.part`, jpeg)
    await rename(`${path}.part`, path)
  }
}
