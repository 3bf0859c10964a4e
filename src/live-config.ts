/**
 * The configuration that runs, and the one way in which it changes: read, load, check the whole, write where a command changes
 * it, apply by difference. Runs in the daemon; one change at a time. What is not valid changes nothing.
 */
import { Lane } from '../actors/kernel/lane.ts'
import { type CameraFile, type CameraFileText, cameraFileText, readCameraFile } from '../config/camera-file.ts'
import { applicable, type ConfigDiff, configDiff } from '../config/diff.ts'
import { digestOf, type LoadedConfig, type WrittenCamera } from '../config/load.ts'
import { type ConfigProblem, problemLine } from '../config/problem.ts'
import type { Config } from '../config/schema.ts'
import { GrabberError, toGrabberError } from '../core/errors.ts'
import type { Logger } from '../core/ports.ts'
import type { FleetChange } from './camera-fleet.ts'
import type { CameraFileStore } from './store/camera-file.ts'

export interface LiveConfigParts {
  /** What the daemon started with. */
  first: LoadedConfig
  /** The configuration as it is written now, with these cameras of commands. CFG_*. */
  load(cameraFile: CameraFileText): LoadedConfig
  cameraFile: Pick<CameraFileStore, 'path' | 'read' | 'write'>
  /**
   * Refuses what cannot run here, before anything is written or changed: MDL_*, GAL_MODEL_MISMATCH. What it resolves with
   * makes the change.
   */
  prepare(next: Config, diff: ConfigDiff): Promise<() => Promise<FleetChange>>
  logger: Logger
}

export interface ConfigReport {
  /** Dotted paths of what differs from what ran before. */
  changed: string[]
  cameras: FleetChange
  /** Dotted paths of what differs and waits for the next start of the daemon. */
  restartNeeded: string[]
  /** Cameras that are in both files: the main file counts. */
  shadowed: string[]
}

/** In the health of the node; the log and the answer have all of them. */
const SHOWN_PROBLEMS = 5

const EMPTY_FILE = digestOf('')

export class LiveConfig {
  readonly #parts: LiveConfigParts
  readonly #lane = new Lane()
  /** Its `config` is what runs: without what waits for a restart. */
  #loaded: LoadedConfig
  #restartNeeded: string[] = []
  #trouble = ''

  constructor(parts: LiveConfigParts) {
    this.#parts = parts
    this.#loaded = parts.first
    this.#tellShadowed([])
  }

  get config(): Config {
    return this.#loaded.config
  }

  /** Of the main file's text that was taken last; `null` without a file. */
  get digest(): string | null {
    return this.#loaded.digest
  }

  get file(): string | null {
    return this.#loaded.origin.file
  }

  get restartNeeded(): readonly string[] {
    return this.#restartNeeded
  }

  /** Why what is written now does not run; empty when it does. */
  get trouble(): string {
    return this.#trouble
  }

  written(id: string): WrittenCamera | undefined {
    return this.#loaded.written.get(id)
  }

  isStopped(id: string): boolean {
    return this.#loaded.stopped.includes(id)
  }

  /** Runs `operation` while no change is under way. */
  alone<T>(operation: () => Promise<T>): Promise<T> {
    return this.#lane.run(operation)
  }

  /** Takes what is written. `by` is for the log. CFG_*, MDL_*, GAL_MODEL_MISMATCH: then nothing has changed. */
  reload(by: string): Promise<ConfigReport> {
    return this.#lane.run(async () => {
      try {
        const report = await this.#take(this.#load(await this.#parts.cameraFile.read()), by)
        this.#trouble = ''
        return report
      } catch (error) {
        this.#refused(toGrabberError(error), by)
        throw error
      }
    })
  }

  /** Changes the cameras of commands. The same errors, those of `change`, and STO_UNUSABLE: then nothing has changed. */
  edit(by: string, change: (file: CameraFile) => CameraFile): Promise<ConfigReport> {
    return this.#lane.run(async () => {
      const now = await this.#parts.cameraFile.read()
      const next = { path: now.path, text: cameraFileText(change(readCameraFile(now))) }
      const report = await this.#take(this.#loadEdited(next), by, () => this.#parts.cameraFile.write(next.text))
      this.#trouble = ''
      return report
    })
  }

  /**
   * Keeps a camera stopped over restarts of the daemon, or not any more, and applies it. Looks at no other part of what is
   * written: a camera can be stopped while somebody has the main file open. `act` is done once it is on the disk. STO_UNUSABLE.
   */
  setStopped(id: string, stopped: boolean, act: () => Promise<unknown> = async () => undefined): Promise<FleetChange> {
    return this.#lane.run(async () => {
      const { cameraFile, prepare } = this.#parts
      const file = readCameraFile(await cameraFile.read())
      const others = file.stopped.filter((other) => other !== id && this.written(other) !== undefined)
      const next = this.#withStopped(stopped ? [...others, id] : others)
      const commit = await prepare(next.config, configDiff(this.config, next.config))
      const text = cameraFileText({ ...file, stopped: [...next.stopped] })
      if (text !== cameraFileText(file)) await cameraFile.write(text)
      await act()
      return this.#commit(next, commit)
    })
  }

  /** What is being brought about counts already; what fails is tried again by the next change. */
  async #commit(next: LoadedConfig, commit: () => Promise<FleetChange>): Promise<FleetChange> {
    const before = this.#loaded
    this.#loaded = next
    try {
      return await commit()
    } catch (error) {
      this.#loaded = before
      throw error
    }
  }

  #withStopped(stopped: string[]): LoadedConfig {
    const { config, written } = this.#loaded
    const cameras = Object.entries(config.cameras).map(([id, camera]) => {
      const asWritten = (written.get(id)?.camera as { enabled?: boolean } | undefined)?.enabled ?? true
      return [id, { ...camera, enabled: asWritten && !stopped.includes(id) }] as const
    })
    return { ...this.#loaded, stopped, config: { ...config, cameras: Object.fromEntries(cameras) } }
  }

  #load(cameraFile: CameraFileText): LoadedConfig {
    const loaded = this.#parts.load(cameraFile)
    // An editor or a full disk leaves such a file; a person who wants no camera writes `cameras: {}`.
    if (loaded.digest === EMPTY_FILE && this.digest !== EMPTY_FILE) {
      throw new GrabberError('CFG_INVALID', `${loaded.origin.file} is empty`, {
        remedy: 'write it again; `cameras: {}` is a configuration without cameras',
      })
    }
    return loaded
  }

  /** The text is not in the file yet: its mistakes are told without a place in it. */
  #loadEdited(edited: CameraFileText): LoadedConfig {
    try {
      return this.#load(edited)
    } catch (error) {
      const found = error instanceof GrabberError ? (error.context.problems as ConfigProblem[] | undefined) : undefined
      if (found === undefined) throw error
      const problems = found.map(({ file = this.file ?? undefined, line, ...problem }): ConfigProblem => {
        if (file === edited.path || file === undefined) return problem
        return { ...problem, file, ...(line === undefined ? {} : { line }) }
      })
      throw new GrabberError('CFG_INVALID', problems.map(problemLine).join('; '), {
        cause: error,
        context: { problems },
      })
    }
  }

  async #take(
    loaded: LoadedConfig,
    by: string,
    write: () => Promise<void> = async () => undefined,
  ): Promise<ConfigReport> {
    const diff = configDiff(this.config, loaded.config)
    const config = applicable(this.config, loaded.config)
    const commit = await this.#parts.prepare(config, diff)
    await write()
    const { shadowed: before } = this.#loaded
    const cameras = await this.#commit({ ...loaded, config }, commit)
    this.#restartNeeded = diff.restartNeeded
    const report = { changed: diff.changed, cameras, restartNeeded: diff.restartNeeded, shadowed: [...loaded.shadowed] }
    this.#parts.logger.info({ by, ...report }, 'configuration applied')
    this.#tellShadowed(before)
    return report
  }

  /** Once for each thing that is wrong, however often it is found. */
  #refused(error: GrabberError, by: string): void {
    const problems = ((error.context.problems ?? []) as ConfigProblem[]).map(problemLine)
    const shown = problems.length > 1 ? problems.slice(0, SHOWN_PROBLEMS) : []
    const trouble = [`${error.code}: ${error.message}`, ...shown].join('; ')
    if (trouble === this.#trouble) return
    this.#trouble = trouble
    const fields = { by, code: error.code, reason: error.message, problems }
    this.#parts.logger.error(fields, 'the configuration was not taken: what ran before goes on')
  }

  #tellShadowed(before: readonly string[]): void {
    const { shadowed } = this.#loaded
    const news = shadowed.filter((id) => !before.includes(id))
    if (news.length === 0) return
    const fields = { cameras: news, file: this.#parts.cameraFile.path }
    this.#parts.logger.warn(fields, 'these cameras are in both files: the main one counts')
  }
}
