/**
 * All cameras of the daemon, as the configuration names them now: they come and go by difference, and each is told one
 * thing at a time. Runs in the daemon. Must never let one camera wait for another.
 */
import { availableParallelism } from 'node:os'
import { isDeepStrictEqual } from 'node:util'
import { Camera } from '../actors/camera.ts'
import type { CameraReport } from '../actors/camera-report.ts'
import { DynamicGroup } from '../actors/dynamic-group.ts'
import type { EngineDirectory } from '../actors/engine-directory.ts'
import type { HostSettings } from '../actors/host-settings.ts'
import type { ChildSpec } from '../actors/kernel/child.ts'
import { Lane } from '../actors/kernel/lane.ts'
import { Turnstile } from '../actors/kernel/turnstile.ts'
import type { Trigger } from '../actors/session-process.ts'
import { type CameraConfig, cameraConfig } from '../config/camera-config.ts'
import type { Config } from '../config/schema.ts'
import { GrabberError } from '../core/errors.ts'
import type { GalleryHit } from '../core/observation.ts'
import type { VisitorBook } from '../core/ports.ts'
import { CameraSpecs, type SpecParts } from './camera-specs.ts'
import { CameraWords, type WordParts } from './camera-words.ts'

/** Above a camera's own limits; all stop at once. */
const GROUP_SHUTDOWN_MS = 30_000
/**
 * Hosts between fork and `hello` at one time: loading costs half a second of a core, and `helloMs` runs meanwhile. Fifty at
 * once would all be late; with two, one that hangs there leaves the other.
 */
const STARTING_HOSTS = Math.max(2, availableParallelism())

export interface FleetParts extends SpecParts, Omit<WordParts, 'node' | 'specs'> {
  /** That of the start; `apply` changes it. */
  config: Config
  directory: EngineDirectory
  search(embedding: Float32Array, k: number): Promise<GalleryHit[]>
  visitors: Pick<VisitorBook, 'remember' | 'keep'>
  host(config: Config): HostSettings
}

/** Ids of cameras, each in one of the lists. */
export interface FleetChange {
  added: string[]
  removed: string[]
  restarted: string[]
  unchanged: string[]
}

class Member {
  readonly camera: Camera
  readonly lane = new Lane()
  /** What it runs with. */
  config: Config

  constructor(config: Config, camera: (config: () => Config) => Camera) {
    this.config = config
    this.camera = camera(() => this.config)
  }
}

export class CameraFleet {
  /** The group in the tree. */
  readonly child: ChildSpec
  readonly #parts: FleetParts
  readonly #group: DynamicGroup
  readonly #specs: CameraSpecs
  readonly #words: CameraWords
  readonly #members = new Map<string, Member>()
  readonly #turnstile = new Turnstile(STARTING_HOSTS)
  readonly #applying = new Lane()
  /** Outlives the camera: event ids of one that comes back must be new. */
  readonly #incarnations = new Map<string, number>()

  constructor(parts: FleetParts) {
    this.#parts = parts
    const { config } = parts
    const { clock, logger } = parts.host(config)
    this.#group = new DynamicGroup('cameras', GROUP_SHUTDOWN_MS, { clock, logger })
    this.child = this.#group.child
    this.#specs = new CameraSpecs(parts)
    this.#words = new CameraWords({ ...parts, node: config.node, specs: this.#specs })
    for (const id of Object.keys(config.cameras)) void this.#group.add(this.#member(id, config).camera.child)
  }

  list(): CameraReport[] {
    return [...this.#members.values()].map(({ camera }) => camera.report())
  }

  /** API_NOT_FOUND, as all that follow. */
  get(id: string): CameraReport {
    return this.#find(id).camera.report()
  }

  /** Does not wait for its pictures. Answers with what it is then, as the two below. */
  start(id: string): Promise<CameraReport> {
    return this.#tell(id, ({ camera }) => camera.start())
  }

  /** Resolves when its session has ended. It stays stopped until it is started, or enabled anew by `apply`. */
  stop(id: string): Promise<CameraReport> {
    return this.#tell(id, ({ camera }) => camera.stop())
  }

  restart(id: string): Promise<CameraReport> {
    return this.#tell(id, ({ camera }) => camera.restart())
  }

  /** Wakes its gate; false when it has no connection. */
  trigger(id: string, trigger: Trigger): boolean {
    return this.#find(id).camera.trigger(trigger)
  }

  /** Has it analyse this share of its rate, 0 < share ≤ 1, from now on. */
  pace(id: string, share: number): void {
    this.#find(id).camera.pace(share)
  }

  /**
   * Makes the fleet that of `next`. A camera is touched only when what it runs with is another (its own settings with the
   * defaults that it inherits, `timeouts`, `reconnect`); one that was stopped by command stays stopped unless it is enabled
   * anew. Resolves when all have taken the change.
   */
  apply(next: Config): Promise<FleetChange> {
    return this.#applying.run(() => this.#apply(next))
  }

  /** Starts a new session of each camera that fits and runs; resolves with the ids of those that fit. */
  async restartWhere(fits: (camera: CameraConfig) => boolean): Promise<string[]> {
    const chosen = [...this.#members].filter(([id, { config }]) => fits(cameraConfig(config, id)))
    const running = chosen.filter(([, { camera }]) => camera.isRunning)
    await Promise.all(running.map(([id]) => this.restart(id)))
    return chosen.map(([id]) => id)
  }

  /** Ages grow while nothing happens, so they are looked at when they are asked for. */
  measureAges(): void {
    for (const { id, lastFrameAgeMs } of this.list()) {
      if (lastFrameAgeMs !== null) this.#parts.metrics.lastFrameAge(id, lastFrameAgeMs / 1000)
    }
  }

  /** The daemon stops in order: what is played now does not go on at the next start. */
  endPlaybacks(): void {
    this.#specs.allOver()
  }

  async #apply(next: Config): Promise<FleetChange> {
    const ids = Object.keys(next.cameras)
    const kept = ids.filter((id) => this.#members.has(id))
    const restarted = kept.filter((id) => !isDeepStrictEqual(usedBy(this.#find(id).config, id), usedBy(next, id)))
    const change: FleetChange = {
      added: ids.filter((id) => !this.#members.has(id)),
      removed: [...this.#members.keys()].filter((id) => !Object.hasOwn(next.cameras, id)),
      restarted,
      unchanged: kept.filter((id) => !restarted.includes(id)),
    }
    await Promise.all([
      ...change.removed.map((id) => this.#remove(id)),
      ...change.restarted.map((id) => this.#replace(id, next)),
      ...change.added.map((id) => this.#group.add(this.#member(id, next).camera.child)),
    ])
    return change
  }

  async #remove(id: string): Promise<void> {
    const member = this.#find(id)
    await member.lane.run(async () => {
      await member.camera.stop('removed')
      await this.#group.remove(member.camera.child.id)
      this.#members.delete(id)
      this.#words.forget(id)
    })
  }

  async #replace(id: string, next: Config): Promise<void> {
    const member = this.#find(id)
    await member.lane.run(async () => {
      const { camera, config } = member
      const was = config.cameras[id]?.enabled
      const enabled = next.cameras[id]?.enabled
      const runs = enabled && (camera.isWanted || !was)
      await camera.stop(enabled ? 'its configuration has changed' : 'not enabled')
      await this.#group.remove(camera.child.id)
      member.config = next
      if (runs) await camera.start()
      await this.#group.add(camera.child)
    })
  }

  /** One thing after the other for each camera. */
  async #tell(id: string, what: (member: Member) => Promise<void>): Promise<CameraReport> {
    const member = this.#find(id)
    await member.lane.run(async () => {
      // It may have been removed while this waited.
      if (this.#members.get(id) !== member) throw unknown(id)
      await what(member)
    })
    return member.camera.report()
  }

  #find(id: string): Member {
    const member = this.#members.get(id)
    if (!member) throw unknown(id)
    return member
  }

  #member(id: string, config: Config): Member {
    const { directory, search, visitors: book, host } = this.#parts
    const { enabled } = cameraConfig(config, id)
    const member = new Member(
      config,
      (current) =>
        new Camera({
          id,
          enabled,
          settings: () => {
            const { timeouts, reconnect } = current()
            return { host: host(current()), stallMs: timeouts.stallMs, reconnect }
          },
          spec: (incarnation) => this.#specs.next(current(), id, incarnation),
          nextIncarnation: () => this.#nextIncarnation(id),
          directory,
          search,
          visitors: {
            remember: (sighting) => book.remember(id, sighting),
            keep: (track) => book.keep(id, track),
          },
          turnstile: this.#turnstile,
          listener: this.#words,
        }),
    )
    this.#members.set(id, member)
    return member
  }

  #nextIncarnation(id: string): number {
    const incarnation = (this.#incarnations.get(id) ?? 0) + 1
    this.#incarnations.set(id, incarnation)
    return incarnation
  }
}

/** The cameras as commands, triggers and a change of the configuration reach them. */
export type CameraDesk = Pick<CameraFleet, 'list' | 'get' | 'start' | 'stop' | 'restart' | 'trigger' | 'apply'>

/** All of the configuration that a camera's sessions depend on. */
function usedBy(config: Config, id: string) {
  const { timeouts, reconnect } = config
  return { camera: cameraConfig(config, id), timeouts, reconnect }
}

function unknown(id: string): GrabberError {
  return new GrabberError('API_NOT_FOUND', `there is no camera ${id}`, { remedy: 'see `grabber cameras list`' })
}
