/**
 * Session hosts that serve one recording after the other: a host costs half a second of CPU to start, a small recording less. Runs
 * in the command that works on many files. Owns the hosts that rest between two works. A host is handed on only by its own word
 * that it rests, after work that ended well; after anything else it ends, as a host of one work does.
 */
import type { Clock, Timer } from '../core/clock.ts'
import { within } from '../core/clock.ts'
import type { FromSession, ToSession } from '../core/wire/control.ts'
import type { HostSettings } from './host-settings.ts'
import { type HostExit, type HostOptions, type HostProcess, type SpawnHost, spawnHost } from './kernel/child-process.ts'
import { SilenceWatch } from './kernel/silence-watch.ts'

/** What native libraries leak in a work is given back after so many. */
const MOST_WORKS = 50
/** A host without work is ended after this: `watch` may have none for days. */
const IDLE_MS = 30_000
/**
 * Young objects have 24 MB instead of up to 48 in V8, which lets them have all of it after some minutes: over ten minutes of 1080p, RSS
 * goes to 315 MB instead of 424, and an extraction takes as long.
 */
const YOUNG = ['--max-semi-space-size=8']
/** Argument of the session host (streams/session-host.ts). */
const SEVERAL = '--several'

type Host = HostProcess<ToSession, FromSession>

export interface HostPoolOptions {
  host: HostSettings
  mostWorks?: number
  idleMs?: number
}

export class HostPool implements AsyncDisposable {
  readonly #options: Required<HostPoolOptions>
  readonly #resting = new Set<PooledHost>()
  readonly #all = new Set<PooledHost>()
  #closed = false

  constructor(options: HostPoolOptions) {
    this.#options = { mostWorks: MOST_WORKS, idleMs: IDLE_MS, ...options }
  }

  /** `host` as it was given, except that its session hosts come from here. */
  get settings(): HostSettings {
    return { ...this.#options.host, spawn: this.spawn }
  }

  /** A host that rests, or a new one. What is not the entry of session hosts is started as ever. */
  readonly spawn: SpawnHost = async <In extends object, Out extends { type: string }>(options: HostOptions) => {
    const { host } = this.#options
    if (this.#closed || options.entry !== host.sessionEntry) return spawnHost<In, Out>(options)
    options.signal?.throwIfAborted()
    const pooled = [...this.#resting].at(-1) ?? (await this.#start(options))
    this.#resting.delete(pooled)
    // Its entry is that of session hosts, so these are what it hears and says.
    return pooled.lease(options) as unknown as HostProcess<In, Out>
  }

  /** Hosts that live, at work or not. */
  get size(): number {
    return this.#all.size
  }

  /** Ends the hosts that rest; those at work end with their work. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#resting].map((pooled) => pooled.end()))
  }

  async #start(options: HostOptions): Promise<PooledHost> {
    const { host: settings, idleMs, mostWorks } = this.#options
    // Whoever asked for its first work may end its start, and none of its later works.
    const starting = new AbortController()
    const abort = () => starting.abort()
    options.signal?.addEventListener('abort', abort, { once: true })
    const host = await spawnHost<ToSession, FromSession>({
      ...options,
      args: [...(options.args ?? []), SEVERAL],
      execArgv: [...process.execArgv, ...YOUNG],
      name: 'recordings',
      silenceMs: Number.POSITIVE_INFINITY,
      signal: starting.signal,
    }).finally(() => options.signal?.removeEventListener('abort', abort))
    const pooled = new PooledHost(host, settings.clock, idleMs, (works) => {
      if (this.#closed || works >= mostWorks) void pooled.end()
      else this.#resting.add(pooled)
    })
    this.#all.add(pooled)
    void host.exited.then(() => {
      this.#all.delete(pooled)
      this.#resting.delete(pooled)
    })
    return pooled
  }
}

class PooledHost {
  readonly #host: Host
  readonly #clock: Clock
  readonly #idleMs: number
  readonly #onRest: (works: number) => void
  #lease: Lease | undefined
  #works = 0
  #idle: Timer | undefined

  constructor(host: Host, clock: Clock, idleMs: number, onRest: (works: number) => void) {
    this.#host = host
    this.#clock = clock
    this.#idleMs = idleMs
    this.#onRest = onRest
    host.onMessage((message) => this.#take(message))
    void host.exited.then((exit) => {
      this.#idle?.cancel()
      this.#lease?.end(exit)
    })
  }

  lease(options: HostOptions): Lease {
    this.#idle?.cancel()
    this.#works++
    this.#lease = new Lease(this.#host, options)
    return this.#lease
  }

  end(): Promise<void> {
    return this.#host.stop()
  }

  #take(message: FromSession): void {
    if (message.type !== 'rested') {
      this.#lease?.take(message)
      return
    }
    this.#lease?.end({ code: 0, signal: null, silent: false, stderr: [] })
    this.#lease = undefined
    this.#idle = this.#clock.after(this.#idleMs, () => void this.end())
    this.#onRest(this.#works)
  }
}

/** A host for one work. It has `exited` when the work is over, whether or not the process has. */
class Lease implements Host {
  readonly exited: Promise<HostExit>
  readonly #host: Host
  readonly #options: HostOptions
  readonly #ended = Promise.withResolvers<HostExit>()
  readonly #silence: SilenceWatch | undefined
  readonly #listeners = new Set<(message: FromSession) => void>()
  readonly #abort = () => this.kill('SIGKILL')
  #over = false
  #silent = false
  #backlog: FromSession[] | undefined = []
  #stopping: Promise<void> | undefined

  constructor(host: Host, options: HostOptions) {
    this.#host = host
    this.#options = options
    this.exited = this.#ended.promise
    const { clock, silenceMs, signal } = options
    if (silenceMs !== Number.POSITIVE_INFINITY)
      this.#silence = new SilenceWatch(clock, silenceMs, () => this.#onSilent())
    signal?.addEventListener('abort', this.#abort, { once: true })
    if (signal?.aborted) this.#abort()
  }

  get pid(): number {
    return this.#host.pid
  }

  get hello(): FromSession {
    return this.#host.hello
  }

  send(message: ToSession): boolean {
    return !this.#over && this.#host.send(message)
  }

  onMessage(listener: (message: FromSession) => void): () => void {
    this.#listeners.add(listener)
    const backlog = this.#backlog ?? []
    this.#backlog = undefined
    for (const message of backlog) listener(message)
    return () => this.#listeners.delete(listener)
  }

  stop(message?: ToSession): Promise<void> {
    this.#stopping ??= this.#ladder(message)
    return this.#stopping
  }

  kill(signal: NodeJS.Signals): void {
    if (!this.#over) this.#host.kill(signal)
  }

  take(message: FromSession): void {
    this.#silence?.heard()
    if (this.#backlog) this.#backlog.push(message)
    for (const listener of this.#listeners) listener(message)
  }

  end(exit: HostExit): void {
    this.#over = true
    this.#silence?.cancel()
    this.#options.signal?.removeEventListener('abort', this.#abort)
    this.#ended.resolve({ ...exit, silent: this.#silent })
  }

  /** As that of a host of its own; one that rests is not touched any more. */
  async #ladder(message?: ToSession): Promise<void> {
    const { clock, stopMs, killMs } = this.#options
    if (message !== undefined && this.send(message) && (await within(clock, stopMs, this.exited)) !== undefined) return
    this.kill('SIGTERM')
    if ((await within(clock, killMs, this.exited)) !== undefined) return
    this.kill('SIGKILL')
    await this.exited
  }

  #onSilent(): void {
    this.#silent = true
    const { logger, name } = this.#options
    logger.warn({ host: name, pid: this.pid }, 'killed: it was silent for too long')
    this.kill('SIGKILL')
  }
}
