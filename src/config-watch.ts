/**
 * Notices that the main configuration file has another content. Runs in the daemon. Looks at its folder, since editors and
 * ConfigMaps put another file in its place (a rename, a swap of a symbolic link); the content decides, and only when it has been
 * the same for a moment: a file is written in pieces, and may be gone for a moment.
 */
import { type FSWatcher, watch } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { digestOf } from '../config/load.ts'
import type { Clock, Timer } from '../core/clock.ts'
import type { Logger } from '../core/ports.ts'

/** An editor's rename, or a copy of a few KiB, takes a few ms. */
const QUIET_MS = 200
/** Where no event comes (network file systems, a link into another folder, too many watches), and for a folder that was exchanged. */
const LOOK_EVERY_MS = 5000
/** Looks at a file that is gone or empty before that is told: about 2 s. */
const PATIENCE = 10

/** What is there instead of a content. */
const NOTHING = 'nothing'

export interface ConfigWatchOptions {
  /** Absolute. */
  path: string
  /** Whether the file with this content is what runs. */
  isCurrent(digest: string): boolean
  /** Called once for each new content, and once for a file that stays away. */
  onChange(): void
  clock: Clock
  logger: Logger
}

export class ConfigWatch {
  readonly #options: ConfigWatchOptions
  #watcher: FSWatcher | undefined
  /** Of the watched folder. */
  #inode: number | undefined
  #quiet: Timer | undefined
  #look: Timer | undefined
  /** Found by the last look. */
  #seen: string | undefined
  /** Told last. */
  #told: string | undefined
  #absences = 0
  #closed = false

  constructor(options: ConfigWatchOptions) {
    this.#options = options
    void this.#lookNow()
  }

  close(): void {
    this.#closed = true
    this.#watcher?.close()
    this.#quiet?.cancel()
    this.#look?.cancel()
  }

  async #lookNow(): Promise<void> {
    await this.#watchFolder()
    await this.#check()
    if (!this.#closed) this.#look = this.#options.clock.after(LOOK_EVERY_MS, () => void this.#lookNow())
  }

  #soon(): void {
    this.#quiet?.cancel()
    if (!this.#closed) this.#quiet = this.#options.clock.after(QUIET_MS, () => void this.#check())
  }

  async #check(): Promise<void> {
    const { path, isCurrent, onChange } = this.#options
    const digest = await digestOfFile(path)
    if (this.#closed) return
    const isNew = digest !== this.#seen
    this.#seen = digest
    this.#absences = digest === NOTHING ? this.#absences + 1 : 0
    if (digest === this.#told || isCurrent(digest)) return
    if (isNew || (digest === NOTHING && this.#absences < PATIENCE)) return this.#soon()
    this.#told = digest
    onChange()
  }

  async #watchFolder(): Promise<void> {
    const folder = dirname(this.#options.path)
    const inode = await stat(folder).then(
      ({ ino }) => ino,
      () => undefined,
    )
    if (this.#closed || inode === undefined || (inode === this.#inode && this.#watcher)) return
    this.#watcher?.close()
    this.#inode = inode
    try {
      this.#watcher = watch(folder, { persistent: false }, () => this.#soon())
      this.#watcher.on('error', (error) => this.#blind(error))
    } catch (error) {
      this.#blind(error)
    }
  }

  #blind(error: unknown): void {
    this.#watcher?.close()
    this.#watcher = undefined
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown reason'
    this.#options.logger.debug({ reason }, `the configuration is looked at every ${LOOK_EVERY_MS} ms only`)
  }
}

/** A file that cannot be read is one that is away. */
async function digestOfFile(path: string): Promise<string> {
  try {
    const text = await readFile(path, 'utf8')
    return text.trim() === '' ? NOTHING : digestOf(text)
  } catch {
    return NOTHING
  }
}
