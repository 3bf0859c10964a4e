/**
 * Which models the daemon runs, and which cameras look for faces with them. Runs in the daemon.
 */
import { type CameraConfig, cameraConfig } from '../config/camera-config.ts'
import type { Config } from '../config/schema.ts'
import type { Logger } from '../core/ports.ts'
import type { FacesSpec } from '../core/wire/control.ts'
import type { EngineModelSpec } from '../core/wire/engine-control.ts'
import { facesSpec, installedModels, missingModels, modelsDir } from './face-models.ts'

export interface ModelChoice {
  /** `null` for a camera without faces. */
  faces(camera: CameraConfig): FacesSpec | null
  engineModels: EngineModelSpec[]
}

/** Cameras whose models are not installed run without faces, with one warning for all of them. */
export async function chooseModels(config: Config, logger: Logger): Promise<ModelChoice> {
  const folder = modelsDir(config)
  const specs = new Map<string, FacesSpec>()
  for (const id of Object.keys(config.cameras)) {
    const { faces } = cameraConfig(config, id)
    if (faces.enabled) specs.set(id, facesSpec(faces))
  }
  const wanted = new Set([...specs.values()].flatMap(({ detector, embedder }) => [detector, embedder]))
  const missing = new Set(await missingModels(folder, wanted))
  if (missing.size > 0) {
    logger.warn({ missing: [...missing] }, 'no faces: models are not installed; to add them run `grabber models pull`')
  }
  const faces = ({ id }: CameraConfig): FacesSpec | null => {
    const spec = specs.get(id)
    return spec && !missing.has(spec.detector) && !missing.has(spec.embedder) ? spec : null
  }
  const engineModels = await installedModels(folder, wanted.difference(missing))
  return { faces, engineModels }
}
