/**
 * How busy a device is between two moments: a CPU by the engine process's own time, a GPU by nvidia-smi. Benchmarks only.
 */
import { availableParallelism } from 'node:os'
import type { DeviceKind } from '../../core/wire/engine-control.ts'
import { readGpus } from '../../src/ops/gpu-watch.ts'
import { cpuMs } from './processes.ts'

/** nvidia-smi's figure is the mean of the last sixth of a second to second, so that a few looks see all of a run. */
const LOOK_MS = 250

export class DeviceLoad {
  readonly #pid: number
  readonly #isGpu: boolean
  readonly #startMs = performance.now()
  readonly #cpuMs: number | null
  readonly #looks: number[] = []
  #looking: Promise<void> = Promise.resolve()
  #ended = false

  private constructor(pid: number, device: DeviceKind) {
    this.#pid = pid
    this.#isGpu = device !== 'cpu'
    this.#cpuMs = cpuMs(pid)
  }

  static async begin({ pid, device }: { pid: number; device: DeviceKind }): Promise<DeviceLoad> {
    const load = new DeviceLoad(pid, device)
    // WebGPU too: on a machine with an NVIDIA GPU it runs there.
    if (load.#isGpu && (await readGpus().catch(() => undefined)) !== undefined) load.#looking = load.#look()
    return load
  }

  /** Percent since `begin`; `null` where it cannot be known. */
  async end(): Promise<number | null> {
    this.#ended = true
    await this.#looking
    if (this.#isGpu)
      return this.#looks.length === 0 ? null : this.#looks.reduce((sum, n) => sum + n) / this.#looks.length
    const now = cpuMs(this.#pid)
    if (now === null || this.#cpuMs === null) return null
    return (100 * (now - this.#cpuMs)) / ((performance.now() - this.#startMs) * availableParallelism())
  }

  /** The busiest GPU: an engine for a benchmark uses one. */
  async #look(): Promise<void> {
    while (!this.#ended) {
      const gpus = (await readGpus().catch(() => undefined)) ?? []
      const busy = gpus.flatMap(({ utilizationPercent }) => utilizationPercent ?? [])
      if (busy.length > 0) this.#looks.push(Math.max(...busy))
      await new Promise((done) => setTimeout(done, LOOK_MS))
    }
  }
}
