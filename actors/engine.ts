/**
 * The engine actor: one engine host for one device. Runs in the daemon.
 * Owns the host process, its endpoint in the directory and the judgement "hung": the oldest batch is past the device's
 * deadline. Must never restart it: it exits as a crash and its supervisor does.
 */
import { fromCoded, GrabberError, toGrabberError } from '../core/errors.ts'
import type {
  DeviceReport,
  EngineFigures,
  EngineModelSpec,
  EngineStart,
  FromEngine,
  ToEngine,
} from '../core/wire/engine-control.ts'
import type { EngineDirectory } from './engine-directory.ts'
import type { HostSettings } from './host-settings.ts'
import { Asks, type Reply } from './kernel/asks.ts'
import type { Exit, RunningChild, StartContext } from './kernel/child.ts'
import { type HostProcess, hostDied, spawnHost } from './kernel/child-process.ts'

/** A batch older than this is hung, ms: a software GPU takes seconds (FACTS), a CPU never does. */
const HUNG_MS = { cpu: 10_000, webgpu: 30_000, cuda: 30_000, tensorrt: 30_000 } as const

export interface EngineOptions {
  /** Its name in the directory and in the tree, such as `cuda-0`. */
  id: string
  start: Omit<EngineStart, 'socketPath'>
  /** A fresh path for each incarnation, so that nobody connects to the one before. */
  socketPath(incarnation: number): string
  directory: EngineDirectory
  host: HostSettings
  /** `start` → `ready`, models loaded and warmed up; and the same for a swap of the models. */
  readyMs: number
  nextIncarnation(): number
  onReady(ready: EngineReady): void
  onFigures(figures: EngineFigures): void
  onGone(): void
}

export interface EngineReady {
  device: DeviceReport
  models: string[]
  pid: number
}

/** Starts an engine host; resolves when it is ready. Rejects with ENG_START, MDL_*, ACT_HOST_DIED. */
export async function startEngine(options: EngineOptions, context: StartContext): Promise<EngineChild> {
  const { host: settings, id } = options
  const incarnation = options.nextIncarnation()
  const host = await spawnHost<ToEngine, FromEngine>({
    ...settings,
    entry: settings.engineEntry,
    name: `engine ${id}`,
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

export class EngineChild implements RunningChild {
  readonly exited: Promise<Exit>
  readonly #options: EngineOptions
  readonly #host: HostProcess<ToEngine, FromEngine>
  readonly #incarnation: number
  readonly #ready = Promise.withResolvers<void>()
  readonly #asks: Asks
  readonly #swaps = new Map<number, Reply<string[]>>()
  #lastRequest = 0
  #device: DeviceReport | undefined
  #models: string[] = []
  #figures: EngineFigures | undefined
  #failure: GrabberError | undefined
  #stopping = false

  constructor(options: EngineOptions, host: HostProcess<ToEngine, FromEngine>, incarnation: number) {
    this.#options = options
    this.#host = host
    this.#incarnation = incarnation
    this.#asks = new Asks(`engine ${options.id}`, options.host.clock)
    // It may end when nobody waits for it to be ready any more, or not yet.
    this.#ready.promise.catch(() => undefined)
    host.onMessage((message) => this.#receive(message))
    this.exited = host.exited.then((exit) => {
      this.#leave()
      options.onGone()
      const error = this.#failure ?? hostDied(`engine ${options.id}`, exit)
      this.#ready.reject(error)
      const last: Exit = this.#stopping ? { kind: 'shutdown' } : { kind: 'crash', error }
      this.#asks.rejectAll(last)
      return last
    })
  }

  async ready(): Promise<void> {
    const { id, start, socketPath, readyMs, host, directory } = this.#options
    const spec: EngineStart = { ...start, socketPath: socketPath(this.#incarnation) }
    this.#host.send({ type: 'start', incarnation: this.#incarnation, start: spec })
    const timer = host.clock.after(readyMs, () => {
      const context = { waitedMs: readyMs }
      this.#failure = new GrabberError('ENG_START', `the engine was not ready in ${readyMs} ms`, { context })
      this.#host.kill('SIGKILL')
    })
    try {
      await this.#ready.promise
    } finally {
      timer.cancel()
    }
    this.#options.onReady({ device: this.#device!, models: this.#models, pid: this.#host.pid })
    directory.set(id, { socketPath: spec.socketPath, incarnation: this.#incarnation })
  }

  /** Has it serve other models without a restart; resolves with their ids. Rejects with MDL_*, ENG_*, ACT_STOPPED, ACT_DEADLINE. */
  async swap(models: EngineModelSpec[]): Promise<string[]> {
    const requestId = ++this.#lastRequest
    try {
      return await this.#asks.open<string[]>(this.#options.readyMs, (reply) => {
        this.#swaps.set(requestId, reply)
        const sent = this.#host.send({ type: 'models', incarnation: this.#incarnation, requestId, models })
        if (!sent) throw new GrabberError('ACT_STOPPED', `engine ${this.#options.id} has ended`)
      })
    } finally {
      this.#swaps.delete(requestId)
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true
    this.#leave()
    await this.#host.stop({ type: 'stop', incarnation: this.#incarnation })
  }

  inspect(): unknown {
    const { id, directory } = this.#options
    return {
      pid: this.#host.pid,
      incarnation: this.#incarnation,
      device: this.#device,
      models: this.#models,
      sessions: directory.seatsAt(id),
      figures: this.#figures,
    }
  }

  #receive(message: FromEngine): void {
    if (message.incarnation !== this.#incarnation) return
    switch (message.type) {
      case 'ready':
        this.#device = message.device
        this.#models = message.models
        this.#ready.resolve()
        break
      case 'heartbeat':
        this.#figures = message.figures
        this.#options.onFigures(message.figures)
        this.#judge(message.figures)
        break
      case 'models.ready':
        this.#models = message.models
        this.#swaps.get(message.requestId)?.(message.models)
        break
      case 'models.failed':
        this.#swaps.get(message.requestId)?.fail(fromCoded(message.error))
        break
      case 'failed':
        this.#failure = fromCoded(message.error)
        break
    }
  }

  /** A batch past its device's deadline, or a model that loads for longer than a whole start may take. */
  #judge({ runningForMs, loadingForMs }: EngineFigures): void {
    const running = (runningForMs ?? 0) > HUNG_MS[this.#device?.chosen ?? 'webgpu']
    const loading = (loadingForMs ?? 0) > this.#options.readyMs
    if (!(running || loading) || this.#failure) return
    const waitedMs = (running ? runningForMs : loadingForMs)!
    const context = { waitedMs }
    const what = `a ${running ? 'batch has run' : 'model has been loading'} for ${Math.round(waitedMs)} ms`
    this.#failure = new GrabberError('ENG_HUNG', what, { context })
    // Its sessions need not wait for the ladder when there is another engine for them.
    if (this.#options.directory.hasOther(this.#options.id)) this.#leave()
    // The ladder: SIGTERM lets a batch that ends after all be answered; SIGKILL ends one that does not.
    void this.#host.stop().catch((error) => {
      this.#options.host.logger.error({ error: toGrabberError(error).line }, 'the hung engine was not ended')
    })
  }

  #leave(): void {
    const { id, directory } = this.#options
    if (directory.endpointOf(id)?.incarnation === this.#incarnation) directory.set(id, null)
  }
}
