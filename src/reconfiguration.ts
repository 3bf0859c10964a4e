/**
 * A change of the configuration, or of the models, brought to what runs. Runs in the daemon; one at a time, which its owner sees to.
 */
import type { ConfigDiff } from '../config/diff.ts'
import type { Config, LogLevel } from '../config/schema.ts'
import type { CameraFleet, FleetChange } from './camera-fleet.ts'
import { concernsModels, type ModelDesk } from './model-desk.ts'

export interface ReconfigurationParts {
  models: ModelDesk
  fleet: CameraFleet
  setLogLevel(level: LogLevel): void
  /** Listens where the configuration says now; resolves when that was tried. */
  reopenHttp(): Promise<void>
}

export interface RefreshedModels {
  models: string[]
  /** Those that started a new session. */
  cameras: string[]
}

export class Reconfiguration {
  readonly #parts: ReconfigurationParts

  constructor(parts: ReconfigurationParts) {
    this.#parts = parts
  }

  /** Refuses what cannot run here (MDL_*, GAL_MODEL_MISMATCH), and changes nothing; what it resolves with makes the change. */
  async prepare(next: Config, diff: ConfigDiff): Promise<() => Promise<FleetChange>> {
    const { models, fleet, setLogLevel, reopenHttp } = this.#parts
    const choice = concernsModels(diff) ? await models.choose(next) : undefined
    return async () => {
      setLogLevel(next.log.level)
      if (diff.live.has('http')) await reopenHttp()
      const differs = choice && (await models.take(choice))
      const change = await fleet.apply(next)
      if (!differs) return change
      const also = await fleet.restartWhere((camera) => change.unchanged.includes(camera.id) && differs(camera))
      const unchanged = change.unchanged.filter((id) => !also.includes(id))
      return { ...change, restarted: [...change.restarted, ...also], unchanged }
    }
  }

  /**
   * Takes up models that were installed since the start: the engines load them, and cameras for which they change something
   * (faces, liveness, another embedder while nobody is enrolled) start a new session. The others go on undisturbed. MDL_*,
   * ENG_*, GAL_MODEL_MISMATCH.
   */
  async refreshModels(config: Config): Promise<RefreshedModels> {
    const { models, fleet } = this.#parts
    const choice = await models.choose(config)
    const differs = await models.take(choice)
    return { models: choice.engineModels.map(({ id }) => id), cameras: await fleet.restartWhere(differs) }
  }
}
