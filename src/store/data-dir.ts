/**
 * The data folder and its one owner: lock, run.json, sockets, and what a killed owner left behind.
 * Runs in the daemon, and in commands that do the work themselves. Must never touch the folder's content without the lock,
 * nor end a process that run.json does not name with its start time.
 */
import { chmodSync, lstatSync, readdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import type { Logger } from '../../core/ports.ts'
import { madeFolder } from './made-folder.ts'
import { end, identify } from './process-identity.ts'
import { type RunChild, type RunInfo, readRunFile, removeRunFile, writeRunFile } from './run-file.ts'
import { holdFileLock } from './sqlite.ts'

/** sun_path holds 108 bytes on Linux and 104 on a Mac, with a terminating zero. */
const SOCKET_PATH_MAX_BYTES = 103

export interface DataDirOptions {
  logger: Logger
  clock: Clock
}

/** Ours from `acquire` until `release`; the lock goes with the process in any case. */
export class DataDir {
  readonly path: string
  readonly #lock: { release(): void }
  #run: RunInfo
  #released = false

  private constructor(path: string, lock: { release(): void }) {
    this.path = path
    this.#lock = lock
    const self = identify(process.pid) ?? { pid: process.pid, startTime: null }
    this.#run = { ...self, children: [], natsUrl: null, httpUrl: null, controlSocket: null }
  }

  /**
   * Makes the folder (0700) if need be, takes its lock, ends the children of a killed owner and removes its sockets.
   * STO_LOCKED when another process has it, STO_UNUSABLE when it cannot be made or written.
   */
  static async acquire(path: string, { logger, clock }: DataDirOptions): Promise<DataDir> {
    const folder = resolve(path)
    makeFolder(folder)
    const lock = holdFileLock(join(folder, 'lock'))
    if (lock === undefined) throw locked(folder)
    try {
      const dataDir = new DataDir(folder, lock)
      makeFolder(dataDir.#sockets)
      await dataDir.#sweep(logger, clock)
      dataDir.#write()
      return dataDir
    } catch (error) {
      lock.release()
      throw error
    }
  }

  get database(): string {
    return join(this.path, 'grabber.db')
  }

  /** Best shots and keyframes, by camera. */
  get pictures(): string {
    return join(this.path, 'pictures')
  }

  /** A path for a Unix socket. STO_UNUSABLE when the folder's path is too long for one. */
  socketPath(name: string): string {
    const path = join(this.#sockets, `${name}.sock`)
    if (Buffer.byteLength(path) <= SOCKET_PATH_MAX_BYTES) return path
    throw new GrabberError('STO_UNUSABLE', `the path of the data folder is too long for a Unix socket: ${path}`, {
      remedy: 'give a shorter one with GRABBER_DATA, or a symbolic link to it',
    })
  }

  get run(): RunInfo {
    return structuredClone(this.#run)
  }

  /** Says where the daemon is reached. */
  announce(where: Partial<Pick<RunInfo, 'natsUrl' | 'httpUrl' | 'controlSocket'>>): void {
    this.#run = { ...this.#run, ...where }
    this.#write()
  }

  /** Puts a child on the list of those to sweep; one of the same name is replaced. Call right after its start. */
  addChild(name: string, pid: number): void {
    const identity = identify(pid)
    this.#run.children = this.#run.children.filter((child) => child.name !== name)
    if (identity !== undefined) this.#run.children.push({ name, ...identity })
    this.#write()
  }

  removeChild(name: string): void {
    this.#run.children = this.#run.children.filter((child) => child.name !== name)
    this.#write()
  }

  /** Gives the folder back: run.json goes, then the lock. Idempotent. The children must have ended. */
  release(): void {
    if (this.#released) return
    this.#released = true
    removeRunFile(this.path)
    this.#lock.release()
  }

  [Symbol.dispose](): void {
    this.release()
  }

  get #sockets(): string {
    return join(this.path, 'sockets')
  }

  #write(): void {
    if (!this.#released) writeRunFile(this.path, this.#run)
  }

  /** We hold the lock, so whoever wrote run.json is dead, and what it started has no parent any more. */
  async #sweep(logger: Logger, clock: Clock): Promise<void> {
    const stale = readRunFile(this.path)?.children ?? []
    const sweepOne = async (child: RunChild) => {
      if (await end(child, clock))
        logger.warn({ child: child.name, childPid: child.pid }, 'ended a child of a killed daemon')
    }
    await Promise.all(stale.map(sweepOne))
    for (const name of readdirSync(this.#sockets)) {
      const path = join(this.#sockets, name)
      if (lstatSync(path).isSocket()) rmSync(path, { force: true })
    }
  }
}

/** Who owns the folder, for commands that talk to a running daemon; `undefined` when nobody does. */
export function findOwner(path: string): RunInfo | undefined {
  const info = readRunFile(resolve(path))
  return info !== undefined && identify(info.pid)?.startTime === info.startTime ? info : undefined
}

/** With those above it, mode 0700; one that is there stays as it is. STO_UNUSABLE. */
export function makeFolder(path: string): void {
  try {
    // The mode of mkdir goes through the umask, and does nothing to a folder that exists.
    if (madeFolder(path, 0o700)) chmodSync(path, 0o700)
  } catch (cause) {
    throw new GrabberError('STO_UNUSABLE', `the folder ${path} cannot be made`, { cause })
  }
}

function locked(folder: string): GrabberError {
  const owner = findOwner(folder)
  const who = owner === undefined ? 'another process' : `process ${owner.pid}`
  return new GrabberError('STO_LOCKED', `${who} owns ${folder}`)
}
