/**
 * Where clips are made and where they go: a folder for what is not finished, and names for what is. Runs in the command, under
 * the lock of the output folder (src/jobs/output-root). A clip is there as a whole or not at all.
 */
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { GrabberError } from '../../core/errors.ts'
import { syncPath } from '../jobs/durable.ts'
import { outputError } from '../jobs/output-error.ts'
import type { MadeClip } from './make-clips.ts'

export class ClipFolder implements AsyncDisposable {
  readonly path: string
  readonly #out: string
  readonly #stem: string

  private constructor(path: string, out: string, stem: string) {
    this.path = path
    this.#out = out
    this.#stem = stem
  }

  /** Removes what a killed job left there. STO_OUTPUT, STO_FULL. */
  static async open(out: string, stem: string): Promise<ClipFolder> {
    const path = join(out, `.${stem}.clips.part`)
    try {
      await rm(path, { recursive: true, force: true })
      await mkdir(path)
    } catch (error) {
      throw outputError(error, path)
    }
    return new ClipFolder(path, out, stem)
  }

  /** Gives each clip its name; the names, in the same order. One of the same name is replaced. STO_OUTPUT, STO_FULL. */
  async publish(clips: readonly MadeClip[], isFilm: boolean): Promise<string[]> {
    const names = clips.map((clip) => (isFilm ? `${this.#stem}-highlights.mp4` : clipName(this.#stem, clip)))
    try {
      for (const { made } of clips) await syncPath(made)
      for (const [i, { made }] of clips.entries()) await rename(made, join(this.#out, names[i]!))
      await syncPath(this.#out)
    } catch (error) {
      throw outputError(error, this.#out)
    }
    return names
  }

  /** What cannot be removed now, on a disk that has become read-only, the next `open` removes: why the job failed is what counts. */
  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true }).catch((error: unknown) => {
      const coded = outputError(error, this.path)
      if (!(coded instanceof GrabberError)) throw error
    })
  }
}

/** `lobby-00h01m20s.mp4`: says where it is from, and is the same in every run. Clips that do not overlap begin seconds apart. */
export function clipName(stem: string, { fromMs }: Pick<MadeClip, 'fromMs'>): string {
  const seconds = Math.floor(fromMs / 1000)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${stem}-${two(Math.floor(seconds / 3600))}h${two(Math.floor(seconds / 60) % 60)}m${two(seconds % 60)}s.mp4`
}
