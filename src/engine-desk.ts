/**
 * The engines in the daemon: from what they say to events, metrics, the log and run.json, and from nvidia-smi to metrics and
 * placement. Runs in the daemon. Decides nothing about engines: the fleet and its supervisor do.
 */
import type { EngineReport } from '../actors/engine-unit.ts'
import type { HostSettings } from '../actors/host-settings.ts'
import type { Transition } from '../actors/kernel/supervision-node.ts'
import type { Config } from '../config/schema.ts'
import { systemClock } from '../core/clock.ts'
import type { Logger } from '../core/ports.ts'
import type { EngineFigures, EngineModelSpec } from '../core/wire/engine-control.ts'
import type { GpuFigures } from '../models/gpu-figures.ts'
import type { GpuFindings } from './engine-plan.ts'
import { EngineService } from './engine-service.ts'
import type { EngineTotals } from './load-watch.ts'
import { GpuWatch } from './ops/gpu-watch.ts'
import type { Metrics } from './ops/metrics.ts'

export interface EngineDeskParts {
  config: Config['engine']
  models: EngineModelSpec[]
  gpus: GpuFindings
  socketPath(incarnation: number): string
  host: HostSettings
  logger: Logger
  metrics: Metrics
  tell(report: EngineReport): void
  /** A host's pid, for the sweep after a kill. */
  onHost(name: string, pid: number | null): void
}

export class EngineDesk {
  readonly service: EngineService
  readonly #parts: EngineDeskParts
  readonly #watch: GpuWatch | undefined

  constructor(parts: EngineDeskParts) {
    this.#parts = parts
    const { config, models, gpus, socketPath, host, logger, onHost, metrics } = parts
    this.service = new EngineService({
      ...{ config, models, gpus, socketPath, host, onHost },
      onState: (report) => this.#onState(report),
      onFigures: (figures) => this.#onFigures(figures),
      onTransition: ({ event, child }: Transition) => {
        if (event === 'crashed') metrics.restarts(child)
      },
    })
    for (const { device, reason } of this.service.plan.refused) logger.warn({ device }, `not used: ${reason}`)
    // Also when nvidia-smi failed at the start: it may answer later.
    if (gpus === undefined || gpus.length === 0) return
    if (typeof gpus === 'object') this.#onGpus(gpus)
    this.#watch = new GpuWatch({ clock: systemClock, logger, onFigures: (now) => this.#onGpus(now) })
  }

  /** What is wrong with the engines, in words; empty when nothing is. */
  get trouble(): string {
    const { idle, reports, plan } = this.service
    if (idle) return ''
    if (reports.length === 0) return plan.refused.map(({ device, reason }) => `${device}: ${reason}`).join(', ')
    const absent = reports.filter(({ state }) => state !== 'ready')
    return absent.map(({ engine, state, reason }) => `${engine} ${state}: ${reason}`).join(', ')
  }

  /** For the load policy; `undefined` while no engine runs. */
  get totals(): EngineTotals | undefined {
    const { idle, reports, queueDepth, answered, p50LatencyMs } = this.service
    if (idle || reports.every(({ state }) => state !== 'ready')) return undefined
    return { queueDepth, answered, p50LatencyMs }
  }

  close(): void {
    this.#watch?.close()
  }

  #onState(report: EngineReport): void {
    const { logger, metrics, tell } = this.#parts
    const { engine, device, state, reason, restarts, breaker } = report
    logger.info({ engine, device, reason, restarts, breaker }, `engine.${state}`)
    metrics.breaker(`engine:${engine}`, breaker)
    tell(report)
  }

  #onFigures({ samples }: EngineFigures): void {
    const { metrics } = this.#parts
    metrics.queueDepth(this.service.queueDepth)
    for (const [model, { batchSizes, runMs }] of Object.entries(samples)) {
      for (const [index, ms] of runMs.entries()) metrics.batch(model, batchSizes[index] ?? 1, ms)
    }
  }

  #onGpus(gpus: readonly GpuFigures[]): void {
    this.#parts.metrics.gpus(gpus)
    this.service.measureGpus(gpus)
  }
}
