/**
 * A real engine host for a benchmark, with clients on its tensor socket. Runs in the benchmark's process; owns the host
 * and a temporary folder for the socket, both gone after `close`.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type HostProcess, hostDied, spawnHost } from '../../actors/kernel/child-process.ts'
import type { Config } from '../../config/schema.ts'
import { fromCoded } from '../../core/errors.ts'
import type { Logger } from '../../core/ports.ts'
import type {
  BatchSettings,
  DeviceKind,
  EngineFigures,
  EngineModelSpec,
  EngineStart,
  FromEngine,
  ToEngine,
} from '../../core/wire/engine-control.ts'
import { EngineClient } from '../../models/engine-client.ts'
import { hostSettings } from '../../src/host-settings.ts'

const INCARNATION = 1
const ASK_DEADLINE_MS = 60_000

export interface BenchEngineOptions {
  config: Config
  logger: Logger
  models: EngineModelSpec[]
  /** What differs from the configuration. */
  batch?: Partial<BatchSettings>
  threads: number
  /** Requests that one client may have open. */
  credits: number
}

export class BenchEngine implements AsyncDisposable {
  readonly device: DeviceKind
  readonly pid: number
  readonly #host: HostProcess<ToEngine, FromEngine>
  readonly #folder: string
  readonly #socketPath: string
  readonly #figures: EngineFigures[] = []

  private constructor(host: HostProcess<ToEngine, FromEngine>, folder: string, socketPath: string, device: DeviceKind) {
    this.#host = host
    this.#folder = folder
    this.#socketPath = socketPath
    this.device = device
    this.pid = host.pid
    host.onMessage((message) => {
      if (message.type === 'heartbeat') this.#figures.push(message.figures)
    })
  }

  /** Resolves when the models are loaded and warm. Rejects with ENG_START, MDL_*, ACT_HOST_DIED. */
  static async start({ config, logger, models, batch, threads, credits }: BenchEngineOptions): Promise<BenchEngine> {
    const settings = hostSettings(config, logger)
    const folder = await mkdtemp(join(tmpdir(), 'grabber-bench-'))
    const socketPath = join(folder, 'engine.sock')
    const { device, queueLimit } = config.engine
    const start: EngineStart = {
      ...{ device, socketPath, models, credits, threads },
      batch: { ...config.engine.batch, queueLimit, ...batch },
    }
    try {
      const options = { ...settings, entry: settings.engineEntry, name: 'engine' }
      const host = await spawnHost<ToEngine, FromEngine>(options)
      const ready = whenReady(host)
      host.send({ type: 'start', incarnation: INCARNATION, start })
      return new BenchEngine(host, folder, socketPath, await ready)
    } catch (error) {
      await rm(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** A client, which its receiver closes. */
  client(): EngineClient {
    const client = new EngineClient({ session: 'bench', priority: 0, askDeadlineMs: ASK_DEADLINE_MS })
    client.setEndpoint({ socketPath: this.#socketPath, incarnation: INCARNATION })
    return client
  }

  /** Batch sizes and durations of `model` in the heartbeats since the last call. */
  takeSamples(model: string): { batchSizes: number[]; runMs: number[] } {
    const samples = this.#figures.splice(0).flatMap((figures) => figures.samples[model] ?? [])
    return { batchSizes: samples.flatMap((s) => s.batchSizes), runMs: samples.flatMap((s) => s.runMs) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host.stop({ type: 'stop', incarnation: INCARNATION })
    await rm(this.#folder, { recursive: true, force: true })
  }
}

async function whenReady(host: HostProcess<ToEngine, FromEngine>): Promise<DeviceKind> {
  const answer = Promise.withResolvers<DeviceKind>()
  const unwatch = host.onMessage((message) => {
    if (message.type === 'ready') answer.resolve(message.device.chosen)
    else if (message.type === 'failed') answer.reject(fromCoded(message.error))
  })
  void host.exited.then((exit) => answer.reject(hostDied('engine', exit)))
  try {
    return await answer.promise
  } catch (error) {
    await host.stop()
    throw error
  } finally {
    unwatch()
  }
}
