/**
 * One device of the fleet over all incarnations of its engine host: its child specification, and what is to be said of it.
 * Runs in the daemon. Its state is derived from what its supervisor and its host say, never kept beside theirs.
 */
import { GrabberError } from '../core/errors.ts'
import type { BreakerState, EventData } from '../core/event.ts'
import type { DeviceReport, EngineFigures, EngineModelSpec, EngineStart } from '../core/wire/engine-control.ts'
import { type EngineChild, type EngineOptions, startEngine } from './engine.ts'
import type { EngineLoad } from './engine-directory.ts'
import type { ChildSpec } from './kernel/child.ts'
import type { Transition } from './kernel/supervision-node.ts'

/** A device that an engine host is to be started for. */
export interface EngineSlot {
  /** Unique, such as `cuda-0`; `auto` for one that takes what it finds. */
  id: string
  device: EngineStart['device']
  index: number
  /** Of the GPU, `null` when it is none or not known. */
  name: string | null
  /** `start` → `ready`; TensorRT builds its engines meanwhile. */
  readyMs: number
}

export type EngineReport = EventData<'engine.state'>

export interface EngineUnitOptions extends Omit<EngineOptions, 'id' | 'start' | 'readyMs' | 'onReady' | 'onGone'> {
  slot: EngineSlot
  refused: EngineReport['refused']
  /** Read at each start. */
  start(): Omit<EngineStart, 'socketPath' | 'device' | 'index'>
  /** At each change of what `report` says of state and breaker, and when models were swapped. */
  onChange(report: EngineReport): void
  onHost(pid: number | null): void
}

export class EngineUnit {
  readonly id: string
  readonly child: ChildSpec
  readonly #options: EngineUnitOptions
  #running: EngineChild | undefined
  #device: DeviceReport | undefined
  #figures: EngineFigures | undefined
  /** Batch caps as they were last told, or first heard. */
  #toldCaps: Record<string, number> = {}
  #models: string[] = []
  #starts = 0
  #state: EngineReport['state'] = 'starting'
  #breaker: BreakerState = 'closed'
  #reason = 'started'
  #failure = 'it ended'

  constructor(options: EngineUnitOptions) {
    this.#options = options
    const { slot, host, directory } = options
    this.id = slot.id
    this.child = {
      id: childId(slot.id),
      restart: 'permanent',
      shutdownMs: host.stopMs + host.killMs,
      start: async (context) => {
        const { device, index, readyMs, id } = slot
        const running = await startEngine(
          {
            ...options,
            id,
            readyMs,
            start: { ...options.start(), device, index },
            onReady: ({ device: chosen, models, pid }) => {
              this.#starts++
              this.#device = chosen
              this.#models = models
              options.onHost(pid)
            },
            onFigures: (figures) => this.#measure(figures),
            onGone: () => {
              this.#running = undefined
              this.#figures = undefined
              options.onHost(null)
            },
          },
          context,
        )
        this.#running = running
        return running
      },
    }
    // From now on the directory knows that it is to be expected.
    directory.setBreaker(slot.id, 'closed')
  }

  get report(): EngineReport {
    const { slot, refused } = this.#options
    const chosen = this.#device?.chosen
    const isGpu = (chosen ?? slot.device) !== 'cpu' && slot.name !== null
    return {
      engine: slot.id,
      device: chosen ?? slot.device,
      index: isGpu ? slot.index : null,
      name: isGpu ? slot.name : null,
      state: this.#state,
      reason: this.#reason,
      restarts: Math.max(0, this.#starts - 1),
      breaker: this.#breaker,
      refused: [...refused, ...(this.#device?.refused ?? [])],
      models: this.#models,
      batchCaps: batchCaps(this.#figures),
    }
  }

  /** Of the engine that ran last. */
  get device(): DeviceReport | undefined {
    return this.#device
  }

  get figures(): EngineFigures | undefined {
    return this.#figures
  }

  /** Whether nvidia-smi's GPU of this index is the device's memory. */
  usesGpu(index: number): boolean {
    const kind = this.#device?.chosen ?? this.#options.slot.device
    return (kind === 'cuda' || kind === 'tensorrt') && this.#options.slot.index === index
  }

  get isRunning(): boolean {
    return this.#running !== undefined
  }

  /** Rejects with MDL_*, ENG_*, ACT_*; then the engine serves what it served before. */
  async swap(models: EngineModelSpec[]): Promise<void> {
    if (this.#running === undefined) throw new GrabberError('ENG_UNAVAILABLE', `engine ${this.id} is not running`)
    this.#models = await this.#running.swap(models)
    this.#tell()
  }

  onTransition({ event, breaker, error, delayMs }: Transition): void {
    const { directory } = this.#options
    this.#breaker = breaker
    directory.setBreaker(this.id, breaker)
    if (event === 'crashed' && error) this.#failure = `${error.code}: ${error.message}`
    const next = this.#next(event, delayMs)
    if (next === undefined) return
    this.#state = next.state
    this.#reason = next.reason
    this.#tell()
  }

  #tell(): void {
    this.#toldCaps = batchCaps(this.#figures)
    this.#options.onChange(this.report)
  }

  #next(
    event: Transition['event'],
    delayMs: number | undefined,
  ): { state: EngineReport['state']; reason: string } | undefined {
    const again = delayMs === undefined ? '' : `; again in ${(delayMs / 1000).toFixed(1)} s`
    switch (event) {
      case 'started':
        return { state: 'ready', reason: `runs on ${this.#device?.chosen ?? 'an unknown device'}` }
      case 'recovered':
        return { state: 'ready', reason: 'runs well again' }
      case 'backing_off':
        return { state: 'restarting', reason: `${this.#failure}${again}` }
      case 'quarantined':
        return { state: 'degraded', reason: `${this.#failure}${again}` }
      case 'stopped':
        return { state: 'stopped', reason: 'told to' }
      case 'crashed':
      case 'exited':
        return undefined
    }
  }

  #measure(figures: EngineFigures): void {
    const { directory, onFigures } = this.#options
    this.#figures = figures
    directory.measure(this.id, engineLoad(figures))
    onFigures(figures)
    const caps = batchCaps(figures)
    // Not each step of the adaptation: a device that runs out of memory, and its recovery.
    if (this.#state === 'ready' && isFarFrom(caps, this.#toldCaps)) this.#tell()
    else this.#toldCaps = { ...caps, ...this.#toldCaps }
  }
}

/** What the placement looks at in a heartbeat. */
function engineLoad({ queueDepth, runningForMs, models }: EngineFigures): EngineLoad {
  const latencies = Object.values(models ?? {}).map(({ latencyP50Ms }) => latencyP50Ms)
  return { queueDepth, latencyMs: Math.max(runningForMs ?? 0, ...latencies) }
}

/** A model's cap is half or less, or twice or more, of what it was. */
function isFarFrom(caps: Record<string, number>, before: Record<string, number>): boolean {
  return Object.entries(caps).some(([model, cap]) => {
    const told = before[model] ?? cap
    return 2 * cap <= told || cap >= 2 * told
  })
}

function batchCaps(figures: EngineFigures | undefined): Record<string, number> {
  const models = Object.entries(figures?.models ?? {})
  return Object.fromEntries(models.map(([id, { batchCap }]) => [id, batchCap]))
}

export const childId = (engine: string) => `engine:${engine}`
