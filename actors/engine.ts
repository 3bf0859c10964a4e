/**
 * The engine actor: one engine host for one device. Runs in the daemon.
 * Owns the host process, its endpoint in the directory and the judgement "hung": the oldest batch is past the device's
 * deadline. Must never restart it: it exits as a crash and its supervisor does.
 */
import { fromCoded, GrabberError, toGrabberError } from '../core/errors.ts'
import type { DeviceReport, EngineFigures, EngineStart, FromEngine, ToEngine } from '../core/wire/engine-control.ts'
import type { EngineDirectory } from './engine-directory.ts'
import type { HostSettings } from './host-settings.ts'
import type { Exit, RunningChild, StartContext } from './kernel/child.ts'
import { type HostProcess, hostDied, spawnHost } from './kernel/child-process.ts'

/** A batch older than this is hung, ms: a software GPU takes seconds (FACTS), a CPU never does. */
const HUNG_MS = { cpu: 10_000, webgpu: 30_000, cuda: 30_000 } as const

export interface EngineOptions {
  start: Omit<EngineStart, 'socketPath'>
  /** A fresh path for each incarnation, so that nobody connects to the one before. */
  socketPath(incarnation: number): string
  directory: EngineDirectory
  host: HostSettings
  /** `start` → `ready`, models loaded and warmed up. */
  readyMs: number
  nextIncarnation(): number
  onReady(report: DeviceReport, pid: number): void
  onFigures(figures: EngineFigures): void
  onGone(reason: string): void
}

/** Starts an engine host; resolves when it is ready. Rejects with ENG_START, MDL_*, ACT_HOST_DIED. */
export async function startEngine(options: EngineOptions, context: StartContext): Promise<RunningChild> {
  const { host: settings } = options
  const incarnation = options.nextIncarnation()
  const host = await spawnHost<ToEngine, FromEngine>({
    ...settings,
    entry: settings.engineEntry,
    name: `engine ${incarnation}`,
    signal: context.signal,
  })
  const engine = new EngineChild(options, host, incarnation)
  try {
    await engine.ready()
    return engine
  } catch (error) {
    // Whatever failed, and be it here: a host that nobody supervises must not stay.
    host.kill('SIGKILL')
    await engine.exited
    throw error
  }
}

class EngineChild implements RunningChild {
  readonly exited: Promise<Exit>
  readonly #options: EngineOptions
  readonly #host: HostProcess<ToEngine, FromEngine>
  readonly #incarnation: number
  readonly #ready = Promise.withResolvers<void>()
  #device: DeviceReport | undefined
  #figures: EngineFigures | undefined
  #failure: GrabberError | undefined
  #stopping = false

  constructor(options: EngineOptions, host: HostProcess<ToEngine, FromEngine>, incarnation: number) {
    this.#options = options
    this.#host = host
    this.#incarnation = incarnation
    // It may end when nobody waits for it to be ready any more, or not yet.
    this.#ready.promise.catch(() => undefined)
    host.onMessage((message) => this.#receive(message))
    this.exited = host.exited.then((exit) => {
      this.#leave()
      const error = this.#failure ?? hostDied(`engine ${incarnation}`, exit)
      this.#ready.reject(error)
      return this.#stopping ? { kind: 'shutdown' } : { kind: 'crash', error }
    })
  }

  async ready(): Promise<void> {
    const { start, socketPath, readyMs, host } = this.#options
    const spec: EngineStart = { ...start, socketPath: socketPath(this.#incarnation) }
    this.#host.send({ type: 'start', incarnation: this.#incarnation, start: spec })
    const timer = host.clock.after(readyMs, () => {
      this.#failure = new GrabberError('ENG_START', `the engine was not ready in ${readyMs} ms`)
      this.#host.kill('SIGKILL')
    })
    try {
      await this.#ready.promise
    } finally {
      timer.cancel()
    }
    this.#options.directory.set({ socketPath: spec.socketPath, incarnation: this.#incarnation })
    this.#options.onReady(this.#device!, this.#host.pid)
  }

  async stop(): Promise<void> {
    this.#stopping = true
    this.#leave()
    await this.#host.stop({ type: 'stop', incarnation: this.#incarnation })
  }

  inspect(): unknown {
    return { pid: this.#host.pid, incarnation: this.#incarnation, device: this.#device, figures: this.#figures }
  }

  #receive(message: FromEngine): void {
    if (message.incarnation !== this.#incarnation) return
    if (message.type === 'ready') {
      this.#device = message.device
      this.#ready.resolve()
    } else if (message.type === 'heartbeat') {
      this.#figures = message.figures
      this.#options.onFigures(message.figures)
      this.#judge(message.figures)
    } else if (message.type === 'failed') {
      this.#failure = fromCoded(message.error)
    }
  }

  #judge({ runningForMs }: EngineFigures): void {
    const limitMs = HUNG_MS[this.#device?.chosen ?? 'webgpu']
    if (runningForMs === null || runningForMs <= limitMs || this.#failure) return
    this.#failure = new GrabberError('ENG_HUNG', `a batch has run for ${Math.round(runningForMs)} ms`)
    // The ladder: SIGTERM lets a batch that ends after all be answered; SIGKILL ends one that does not.
    void this.#host.stop().catch((error) => {
      this.#options.host.logger.error({ error: toGrabberError(error).line }, 'the hung engine was not ended')
    })
  }

  #leave(): void {
    const { directory, onGone } = this.#options
    if (directory.endpoint?.incarnation !== this.#incarnation) return
    directory.set(null)
    onGone(this.#stopping ? 'stopped' : (this.#failure?.code ?? 'ACT_HOST_DIED'))
  }
}
