/**
 * All engines of this node: one host per device, each restarted on its own account, under the group `engines`. Runs in the
 * daemon and in commands that need inference. Owns the placement's timer and the models that the next start will load.
 * The supervisor alone decides about restarts and breakers; the fleet passes on what it says.
 */
import { fromCoded, type GrabberError, toGrabberError } from '../core/errors.ts'
import type { DeviceReport, EngineFigures, EngineModelSpec, EngineStart } from '../core/wire/engine-control.ts'
import type { GpuFigures } from '../models/gpu-figures.ts'
import { EngineDirectory } from './engine-directory.ts'
import { childId, type EngineReport, type EngineSlot, EngineUnit } from './engine-unit.ts'
import type { HostSettings } from './host-settings.ts'
import type { ChildSpec, RunningChild, StartContext } from './kernel/child.ts'
import type { Transition } from './kernel/supervision-node.ts'
import { Supervisor } from './kernel/supervisor.ts'
import { enginePolicy } from './policies.ts'

/** A look at the balance of the sessions. */
const LOOK_MS = 10_000
/** Above the sum of an engine's own limits, so that the ladder inside comes first. */
const SHUTDOWN_MS = 30_000
/** G3: no device over 90 % memory. It is taken into use again below the second limit, so that it does not flap. */
const FULL_ABOVE = 0.9
const FREE_BELOW = 0.85

export interface EngineFleetOptions {
  slots: readonly EngineSlot[]
  models: EngineModelSpec[]
  /** GPUs for which no engine is started, and why: part of what each engine reports. */
  refused: EngineReport['refused']
  start: Omit<EngineStart, 'socketPath' | 'device' | 'index' | 'models'>
  /** A fresh path for each incarnation; incarnations are numbered over all devices. */
  socketPath(incarnation: number): string
  host: HostSettings
  onState?(report: EngineReport): void
  onFigures?(figures: EngineFigures): void
  /** A host's pid, `null` when it is gone. */
  onHost?(name: string, pid: number | null): void
  onTransition?(transition: Transition): void
}

export class EngineFleet {
  readonly directory = new EngineDirectory()
  /** The group in the tree; up when each engine was tried once. */
  readonly child: ChildSpec
  readonly #options: EngineFleetOptions
  readonly #units: EngineUnit[]
  #supervisor: Supervisor | undefined
  #models: EngineModelSpec[]
  #incarnation = 0
  #swapping: Promise<unknown> = Promise.resolve()
  #lastError: GrabberError | undefined

  constructor(options: EngineFleetOptions) {
    this.#options = options
    this.#models = options.models
    const { host, socketPath } = options
    this.#units = options.slots.map(
      (slot) =>
        new EngineUnit({
          slot,
          host,
          socketPath,
          refused: options.refused,
          directory: this.directory,
          start: () => ({ ...options.start, models: this.#models }),
          nextIncarnation: () => ++this.#incarnation,
          onFigures: (figures) => options.onFigures?.(figures),
          onChange: (report) => options.onState?.(report),
          onHost: (pid) => options.onHost?.(childId(slot.id), pid),
        }),
    )
    this.child = {
      id: 'engines',
      restart: 'permanent',
      shutdownMs: SHUTDOWN_MS,
      start: (context) => this.#start(context),
    }
  }

  /** There is no model to run, and no host runs. */
  get idle(): boolean {
    return this.#models.length === 0
  }

  get reports(): EngineReport[] {
    return this.#units.map(({ report }) => report)
  }

  /** What each engine that ran found of its device. */
  get devices(): DeviceReport[] {
    return this.#units.flatMap(({ device }) => device ?? [])
  }

  /** Requests that wait, over all engines. */
  get queueDepth(): number {
    return this.#units.reduce((sum, { figures }) => sum + (figures?.queueDepth ?? 0), 0)
  }

  /** Requests that were answered, over all engines since their starts. */
  get answered(): number {
    const figures = this.#units.flatMap((unit) => unit.figures ?? [])
    return figures.reduce((sum, { completed, failed, expired }) => sum + completed + failed + expired, 0)
  }

  /** Of the slowest model of the slowest engine, ms; 0 when none was asked. */
  get p50LatencyMs(): number {
    const models = this.#units.flatMap(({ figures }) => Object.values(figures?.models ?? {}))
    return Math.max(0, ...models.map(({ latencyP50Ms }) => latencyP50Ms))
  }

  get restarts(): number {
    return this.#supervisor?.inspect().restarts ?? 0
  }

  /** Why an engine did not start or ended, the last time that one did. */
  get lastError(): GrabberError | undefined {
    return this.#lastError
  }

  /** What nvidia-smi says now: a device that is full takes no new sessions. */
  measureGpus(gpus: readonly GpuFigures[]): void {
    for (const { index, memoryUsedBytes, memoryTotalBytes } of gpus) {
      if (memoryUsedBytes === null || memoryTotalBytes === null || memoryTotalBytes === 0) continue
      const share = memoryUsedBytes / memoryTotalBytes
      for (const unit of this.#units.filter((each) => each.usesGpu(index))) {
        if (share > FULL_ABOVE) this.directory.setFull(unit.id, true)
        else if (share < FREE_BELOW) this.directory.setFull(unit.id, false)
      }
    }
  }

  /**
   * Has all engines serve these models, without a restart; the first one tries them, and when it refuses nothing changed.
   * An engine that then refuses what another took is started again. Starts the engines when there was nothing to run.
   * Rejects with MDL_*, ENG_*, ACT_*.
   */
  swapModels(models: EngineModelSpec[]): Promise<void> {
    const swap = this.#swapping.then(() => this.#swap(models))
    this.#swapping = swap.catch(() => undefined)
    return swap
  }

  async #swap(models: EngineModelSpec[]): Promise<void> {
    // Files that vanished: what is loaded serves on.
    if (models.length === 0) return
    const wasIdle = this.idle
    const [first, ...others] = this.#units.filter(({ isRunning }) => isRunning)
    await first?.swap(models)
    this.#models = models
    if (wasIdle && this.#supervisor) return this.#add(this.#supervisor)
    await Promise.all(others.map((unit) => this.#follow(unit, models)))
  }

  async #follow(unit: EngineUnit, models: EngineModelSpec[]): Promise<void> {
    try {
      await unit.swap(models)
    } catch (error) {
      this.#options.host.logger.warn({ engine: unit.id, error: toGrabberError(error).line }, 'models were not swapped')
      await this.#supervisor?.restart(unit.child.id)
    }
  }

  async #start({ path, signal }: StartContext): Promise<RunningChild> {
    const { clock, logger } = this.#options.host
    const onTransition = (transition: Transition) => this.#onTransition(transition)
    const supervisor = Supervisor.start(
      { ...enginePolicy, id: this.child.id, children: [] },
      { clock, logger, path, onTransition },
    )
    this.#supervisor = supervisor
    const stop = () => void supervisor.stop()
    signal.addEventListener('abort', stop, { once: true })
    const look = () => {
      this.directory.rebalance()
      timer = clock.after(LOOK_MS, look)
    }
    let timer = clock.after(LOOK_MS, look)
    void supervisor.exited.then(() => timer.cancel())
    if (!this.idle) await this.#add(supervisor)
    return supervisor
  }

  /** All at once: a device that is slow to start keeps no other waiting. */
  async #add(supervisor: Supervisor): Promise<void> {
    await Promise.all(this.#units.map((unit) => supervisor.add(unit.child)))
  }

  #onTransition(transition: Transition): void {
    const { child, error } = transition
    if (error) this.#lastError = fromCoded(error)
    this.#units.find((unit) => unit.child.id === child)?.onTransition(transition)
    this.#options.onTransition?.(transition)
  }
}
