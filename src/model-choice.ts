/**
 * Which models the daemon runs, and which cameras look for faces with them. Runs in the daemon.
 */
import { type CameraConfig, cameraConfig } from '../config/camera-config.ts'
import type { Config } from '../config/schema.ts'
import type { Logger } from '../core/ports.ts'
import type { FacesSpec } from '../core/wire/control.ts'
import type { EngineModelSpec } from '../core/wire/engine-control.ts'
import {
  facesSpec,
  installedModels,
  livenessWarning,
  missingModels,
  modelIds,
  modelsDir,
  withoutMissing,
} from './face-models.ts'

export interface ModelChoice {
  /** `null` for a camera without faces. */
  faces(camera: CameraConfig): FacesSpec | null
  engineModels: EngineModelSpec[]
}

/** Cameras whose models are not installed run without faces, or without liveness, with one warning of each kind for all. */
export async function chooseModels(config: Config, logger: Logger): Promise<ModelChoice> {
  const folder = modelsDir(config)
  const cameras = Object.keys(config.cameras)
    .map((id) => ({ id, settings: cameraConfig(config, id).faces }))
    .filter(({ settings }) => settings.enabled)
    .map(({ id, settings }) => ({ id, settings, spec: facesSpec(settings) }))
  const wanted = new Set(cameras.flatMap(({ spec }) => modelIds(spec)))
  const missing = new Set(await missingModels(folder, wanted))
  const specs = new Map<string, FacesSpec>()
  const warnings = new Set<string>()
  for (const { id, settings, spec } of cameras) {
    const usable = withoutMissing(spec, missing, settings.liveness)
    if (usable) specs.set(id, usable)
    const warning = usable
      ? livenessWarning(usable)
      : 'no faces: models are not installed; to add them run `grabber models pull`'
    if (warning !== undefined) warnings.add(warning)
  }
  for (const warning of warnings) logger.warn({ missing: [...missing] }, warning)
  const engineModels = await installedModels(folder, wanted.difference(missing))
  return { faces: ({ id }) => specs.get(id) ?? null, engineModels }
}
