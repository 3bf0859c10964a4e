/**
 * A fleet with hosts that do as they are told (test/fixtures/hosts/camera.ts), a real store and a real logger; time is
 * virtual, processes are real. Test support.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { EngineDirectory } from '../../actors/engine-directory.ts'
import type { RunningChild } from '../../actors/kernel/child.ts'
import { type Config, configSchema } from '../../config/schema.ts'
import type { CloudEvent } from '../../core/event.ts'
import { MemoryBus } from '../../src/bus/memory-bus.ts'
import { CameraFleet } from '../../src/camera-fleet.ts'
import { createLogger } from '../../src/ops/logger.ts'
import { Metrics } from '../../src/ops/metrics.ts'
import { PlaybackTable } from '../../src/store/playback.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { hostSettings } from './actors/camera-trial.ts'
import { settle, VirtualClock } from './virtual-clock.ts'

/** With every default filled in, as it is loaded. */
export function configOf(cameras: Record<string, object>, rest: object = {}): Config {
  return configSchema.parse({ ...rest, cameras })
}

export class FleetTrial {
  readonly clock = new VirtualClock()
  readonly log: string[] = []
  readonly events: CloudEvent[] = []
  readonly pids = new Map<string, number | null>()
  readonly metrics = new Metrics()
  readonly fleet: CameraFleet
  readonly playbacks: PlaybackTable
  running: RunningChild | undefined
  readonly #folder = mkdtempSync(join(tmpdir(), 'grabber-fleet-'))
  readonly #store = openStore(join(this.#folder, 'grabber.db'))

  constructor(config: Config) {
    const logger = createLogger({ level: 'debug', stream: { write: (line) => this.log.push(line) } })
    this.playbacks = new PlaybackTable(this.#store)
    this.fleet = new CameraFleet({
      config,
      host: () => hostSettings(this.clock, logger),
      logger,
      metrics: this.metrics,
      faces: () => null,
      keyframes: () => null,
      directory: new EngineDirectory(),
      search: async () => [],
      visitors: { remember: async () => null, keep: async () => undefined },
      playbacks: this.playbacks,
      picturesDir: this.#folder,
      bus: new MemoryBus(logger),
      submit: (event) => this.events.push(event),
      tell: (event) => this.events.push(event),
      onHost: (name, pid) => this.pids.set(name, pid),
    })
  }

  async start(): Promise<void> {
    const signal = new AbortController().signal
    this.running = await this.fleet.child.start({ attempt: 0, path: 'root/cameras', signal })
  }

  async end(): Promise<void> {
    await this.running?.stop()
    expect(this.clock.pendingTimers).toBe(0)
    expect([...this.pids.values()].every((pid) => pid === null)).toBe(true)
    this.metrics.close()
    this.#store.close()
    rmSync(this.#folder, { recursive: true })
  }

  /** The cameras are in these states. Waits in real time: processes take it. */
  async are(states: Record<string, string>): Promise<void> {
    const now = () => Object.fromEntries(this.fleet.list().map(({ id, state }) => [id, state]))
    await expect.poll(now, { timeout: 12_000, interval: 2 }).toEqual(states)
    await settle()
  }

  /** What tells whether a camera was touched. */
  lives(): Record<string, [number, number | null]> {
    return Object.fromEntries(this.fleet.list().map(({ id, incarnation, hostPid }) => [id, [incarnation, hostPid]]))
  }
}
