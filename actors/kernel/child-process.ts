/**
 * A host process as the daemon holds it: forked, watched for silence, stopped by a ladder that ends in SIGKILL.
 * Runs in the daemon. Knows nothing of what the messages mean, except that the first is `hello`; restarts nothing.
 *
 * Theory. A host is started when it has said `hello`; before that it is nobody's child and is killed when late. It ends in
 * one of four ways: by itself, by the ladder (message, SIGTERM, SIGKILL), killed for silence, or killed from outside;
 * `exited` tells them apart. It settles after the last message was read, so that no `ended` or `failed` is lost.
 * That hosts end when the daemon dies is their own duty (IPC `disconnect`).
 */
import { type ChildProcess, fork, type Serializable } from 'node:child_process'
import { type Clock, within } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import type { Logger } from '../../core/ports.ts'
import { LineLog } from './line-log.ts'
import { SilenceWatch } from './silence-watch.ts'

export interface HostOptions {
  /** Module to run. */
  entry: URL | string
  name: string
  args?: readonly string[]
  /** Node's own options; the daemon's when absent. */
  execArgv?: readonly string[]
  /** Beside the daemon's own environment. */
  env?: Readonly<Record<string, string>>
  logger: Logger
  clock: Clock
  /** fork → `hello`. */
  helloMs: number
  /** No message for this long: SIGKILL. `Infinity` for a child that may be silent. */
  silenceMs: number
  /** Stop message → SIGTERM. */
  stopMs: number
  /** SIGTERM → SIGKILL. */
  killMs: number
  /** Aborted: SIGKILL at once, whether started or not. */
  signal?: AbortSignal
}

export interface HostExit {
  code: number | null
  signal: NodeJS.Signals | null
  /** It was killed because it said nothing for `silenceMs`. */
  silent: boolean
  /** The last lines it wrote, oldest first. */
  stderr: string[]
}

export interface HostProcess<In, Out> {
  readonly pid: number
  /** The first message. It is not given to listeners. */
  readonly hello: Out
  /** False when the channel is closed and the message is lost. Never throws. */
  send(message: In): boolean
  /** Messages in the order sent; those that came before the first listener are kept for it. Returns the way to stop. */
  onMessage(listener: (message: Out) => void): () => void
  readonly exited: Promise<HostExit>
  /** Sends `message`, waits `stopMs`, SIGTERM, waits `killMs`, SIGKILL; resolves when it is gone. */
  stop(message?: In): Promise<void>
  kill(signal: NodeJS.Signals): void
}

/**
 * A grandchild may hold the pipes open after the host is gone; what it writes is not waited for longer than this, ms.
 */
const DRAIN_MS = 1000
/** Messages kept for the first listener. A host has credits for 256 events; more than this is a defect of its own. */
const BACKLOG_LIMIT = 4096

/** As `spawnHost`. */
export type SpawnHost = <In extends object, Out extends { type: string }>(
  options: HostOptions,
) => Promise<HostProcess<In, Out>>

/** Forks a host; resolves at its `hello`. Rejects with ACT_HOST_DIED when it exits before or is late. */
export async function spawnHost<In extends object, Out extends { type: string }>(
  options: HostOptions,
): Promise<HostProcess<In, Out>> {
  const host = new Host<In, Out>(options)
  const greeted = host.greeting.then((hello) => ({ hello }))
  const first = await within(options.clock, options.helloMs, Promise.race([greeted, host.exited]))
  if (first !== undefined && 'hello' in first.value) return Object.assign(host, { hello: first.value.hello })
  host.kill('SIGKILL')
  const late = first === undefined ? `said no hello within ${options.helloMs} ms` : undefined
  throw hostDied(options.name, await host.exited, { ...(late && { what: late }) })
}

/** ACT_HOST_DIED with the evidence: how it ended and what it wrote last. `remedy` where no supervisor stands behind it. */
export function hostDied(name: string, exit: HostExit, said: { what?: string; remedy?: string } = {}): GrabberError {
  const ending = exit.silent ? 'was silent and killed' : `ended with ${exit.signal ?? `status ${exit.code}`}`
  const { what = ending, ...rest } = said
  return new GrabberError('ACT_HOST_DIED', `${name} ${what}`, { context: { ...exit }, ...rest })
}

class Host<In extends object, Out extends { type: string }> {
  readonly exited: Promise<HostExit>
  /** Resolves at the first message, if it is `hello`. */
  readonly greeting: Promise<Out>
  readonly #child: ChildProcess
  readonly #options: HostOptions
  readonly #stderr: LineLog
  readonly #listeners = new Set<(message: Out) => void>()
  readonly #silence: SilenceWatch | undefined
  readonly #greet: (hello: Out) => void
  #greeted = false
  #silent = false
  #gone = false
  #backlog: Out[] | undefined = []
  #stopping: Promise<void> | undefined

  constructor(options: HostOptions) {
    this.#options = options
    const { clock, logger } = options
    this.#child = fork(options.entry, options.args ?? [], {
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, ...options.env },
      ...(options.execArgv === undefined ? {} : { execArgv: [...options.execArgv] }),
    })
    const log = (stream: string) => new LineLog(clock, (line) => logger.info({ host: options.name, stream }, line))
    const stdout = log('stdout')
    this.#stderr = log('stderr')
    this.#child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk))
    this.#child.stderr?.on('data', (chunk: Buffer) => this.#stderr.push(chunk))
    if (options.silenceMs !== Number.POSITIVE_INFINITY) {
      this.#silence = new SilenceWatch(clock, options.silenceMs, () => this.#onSilent())
    }
    const greeting = Promise.withResolvers<Out>()
    this.greeting = greeting.promise
    this.#greet = greeting.resolve
    this.#child.on('message', (message) => this.#onMessage(message as unknown as Out))
    const kill = () => this.kill('SIGKILL')
    options.signal?.addEventListener('abort', kill, { once: true })
    if (options.signal?.aborted) kill()
    this.exited = this.#watchExit().then((exit) => {
      this.#gone = true
      this.#silence?.cancel()
      stdout.end()
      this.#stderr.end()
      options.signal?.removeEventListener('abort', kill)
      return { ...exit, silent: this.#silent, stderr: this.#stderr.tail }
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  send(message: In): boolean {
    if (!this.#child.connected) return false
    // With a callback Node reports a channel that closes meanwhile here, instead of as an 'error' event.
    this.#child.send(message as Serializable, (error) => {
      if (error !== null) this.#options.logger.debug({ host: this.#options.name, error: error.message }, 'send failed')
    })
    return true
  }

  onMessage(listener: (message: Out) => void): () => void {
    this.#listeners.add(listener)
    const backlog = this.#backlog ?? []
    this.#backlog = undefined
    for (const message of backlog) listener(message)
    return () => this.#listeners.delete(listener)
  }

  stop(message?: In): Promise<void> {
    this.#stopping ??= this.#ladder(message)
    return this.#stopping
  }

  kill(signal: NodeJS.Signals): void {
    if (!this.#gone) this.#child.kill(signal)
  }

  async #ladder(message?: In): Promise<void> {
    const { clock, stopMs, killMs } = this.#options
    if (message !== undefined && this.send(message)) {
      if ((await within(clock, stopMs, this.exited)) !== undefined) return
    }
    this.kill('SIGTERM')
    if ((await within(clock, killMs, this.exited)) !== undefined) return
    this.kill('SIGKILL')
    await this.exited
  }

  #onMessage(message: Out): void {
    this.#silence?.heard()
    if (!this.#greeted && message.type === 'hello') {
      this.#greeted = true
      this.#greet(message)
    } else if (this.#backlog === undefined) {
      for (const listener of this.#listeners) listener(message)
    } else if (this.#backlog.push(message) > BACKLOG_LIMIT) {
      this.#options.logger.error({ host: this.#options.name }, 'killed: it sent too much before anyone listened')
      this.kill('SIGKILL')
    }
  }

  #onSilent(): void {
    this.#silent = true
    this.#options.logger.warn({ host: this.#options.name, pid: this.pid }, 'killed: it was silent for too long')
    this.kill('SIGKILL')
  }

  /** 'exit' says how; 'close' says that channel and pipes were read to the end. */
  #watchExit(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    return new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#options.logger.error({ host: this.#options.name, error: error.message }, 'fork failed')
        if (this.#child.pid === undefined) resolve({ code: null, signal: null })
      })
      this.#child.once('exit', (code, signal) => {
        const timer = this.#options.clock.after(DRAIN_MS, () => resolve({ code, signal }))
        this.#child.once('close', () => {
          timer.cancel()
          resolve({ code, signal })
        })
      })
    })
  }
}
