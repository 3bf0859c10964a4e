/**
 * Starts `bin/grabber` as a person does, with a data folder of its own, and hands back what it wrote and how it ended.
 * Runs in tests. Must never look at the environment of the developer: what the program gets is named here.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** Real models, pictures and clips; tests that need them are skipped where there are none. */
export const assets = resolve(process.env.GRABBER_ASSETS ?? join(root, '../shared/assets'))
export const hasAssets = existsSync(join(assets, 'models'))

/** A command that does not end by itself is killed after this, and its test fails on the status. */
const COMMAND_LIMIT_MS = 180_000

export interface Ended {
  /** Exit status; `null` when a signal ended it. */
  status: number | null
  signal: NodeJS.Signals | null
  out: string
  err: string
}

/** A command that runs: its output so far, its process (for signals), its end. */
export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  out(): string
  err(): string
}

export interface GrabberOptions {
  models?: boolean
  env?: Record<string, string>
  limitMs?: number | null
}

/**
 * A fresh folder with its data folder in it, and the program that uses them. `[Symbol.dispose]` kills what still runs (a
 * test that failed half-way leaves no daemon behind) and removes the folder.
 */
export class Grabber implements Disposable {
  /** Working directory of the commands; files for tests may lie here. */
  readonly folder: string
  readonly data: string
  readonly #env: Record<string, string>
  readonly #limitMs: number | null
  readonly #running = new Set<ChildProcess>()

  /**
   * `models: true` links the models of the assets into the data folder, so that nothing is copied or fetched. A command that runs longer
   * than `limitMs` is killed; `null`: none, for soaks.
   */
  constructor({ models = false, env = {}, limitMs = COMMAND_LIMIT_MS }: GrabberOptions = {}) {
    this.#limitMs = limitMs
    this.folder = mkdtempSync(join(tmpdir(), 'grabber-e2e-'))
    this.data = join(this.folder, 'data')
    this.#env = { PATH: '/usr/bin:/bin', GRABBER_DATA: this.data, ...env }
    if (models) this.linkModels()
  }

  linkModels(): void {
    mkdirSync(this.data, { recursive: true, mode: 0o700 })
    symlinkSync(join(assets, 'models'), join(this.data, 'models'))
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  /** Starts a command and does not wait. */
  start(...args: string[]): Running {
    const child = spawn(join(root, 'bin/grabber'), args, {
      cwd: this.folder,
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#running.add(child)
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString('utf8')
    const limit = this.#limitMs === null ? undefined : setTimeout(() => child.kill('SIGKILL'), this.#limitMs)
    const ended = new Promise<Ended>((settle, fail) => {
      child.once('error', fail)
      child.once('close', (status, signal) => {
        clearTimeout(limit)
        this.#running.delete(child)
        settle({ status, signal, out: text(out), err: text(err) })
      })
    })
    return { child, ended, out: () => text(out), err: () => text(err) }
  }

  /** Runs a command to its end. */
  run(...args: string[]): Promise<Ended> {
    return this.start(...args).ended
  }

  [Symbol.dispose](): void {
    for (const child of this.#running) child.kill('SIGKILL')
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 10 })
  }
}

/** The values of JSON lines. */
export function jsonLines<T>(text: string): T[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)
}
