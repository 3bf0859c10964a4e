/**
 * Which models the daemon runs, and the change to others while it runs. Runs in the daemon; one change at a time, which its
 * owner sees to.
 */
import { isDeepStrictEqual } from 'node:util'
import type { CameraConfig } from '../config/camera-config.ts'
import type { ConfigDiff } from '../config/diff.ts'
import type { Config } from '../config/schema.ts'
import type { Logger } from '../core/ports.ts'
import type { EngineModelSpec } from '../core/wire/engine-control.ts'
import type { FacesSpec, KeyframeSpec } from '../core/wire/session-spec.ts'
import { chooseModels, type ModelChoice } from './model-choice.ts'

export interface ModelDeskParts {
  first: ModelChoice
  logger: Logger
  /** Has the engines serve these from now on. MDL_*, ENG_*: then they serve what they did. */
  swap(models: EngineModelSpec[]): Promise<unknown>
  /** Another embedder has other people. */
  reopenGallery(): Promise<unknown>
}

export class ModelDesk {
  readonly #parts: ModelDeskParts
  #choice: ModelChoice

  constructor(parts: ModelDeskParts) {
    this.#parts = parts
    this.#choice = parts.first
  }

  /** Names detector and embedder. */
  get config(): Config {
    return this.#choice.config
  }

  /** Cameras that are to look for faces and cannot. */
  get blind(): string[] {
    return this.#choice.blind
  }

  /** `null` without faces. */
  faces(camera: CameraConfig): FacesSpec | null {
    return this.#choice.faces(camera)
  }

  /** `null` without keyframes. */
  keyframes(camera: CameraConfig): KeyframeSpec | null {
    return this.#choice.keyframes(camera)
  }

  /** What `next` would run; nothing changes. MDL_*, GAL_MODEL_MISMATCH. */
  choose(next: Config): Promise<ModelChoice> {
    return chooseModels(next, this.#parts.logger)
  }

  /** Has engines and gallery take the choice. Answers whether it is another one for a camera. MDL_*, ENG_*. */
  async take(choice: ModelChoice): Promise<(camera: CameraConfig) => boolean> {
    const before = this.#choice
    if (!isDeepStrictEqual(before.engineModels, choice.engineModels)) await this.#parts.swap(choice.engineModels)
    this.#choice = choice
    const embedder = ({ config }: ModelChoice) => config.defaults.faces.embedder
    if (embedder(before) !== embedder(choice)) await this.#parts.reopenGallery()
    return (camera) =>
      !isDeepStrictEqual(before.faces(camera), choice.faces(camera)) ||
      !isDeepStrictEqual(before.keyframes(camera), choice.keyframes(camera))
  }
}

/** Whether the models that are used may be others after such a change. */
export function concernsModels({ changed }: ConfigDiff): boolean {
  return changed.some((path) =>
    /^(?:cameras\.[^.]+(?:$|\.(?:faces|keyframes)(?:\.|$))|defaults\.(?:faces|keyframes)\.)/.test(path),
  )
}
