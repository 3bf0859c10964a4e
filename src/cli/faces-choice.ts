/**
 * Whether a command looks for faces: as configured, when the models are installed. Runs in commands.
 */
import type { CameraConfig } from '../../config/camera-config.ts'
import type { Config } from '../../config/schema.ts'
import type { FacesSpec } from '../../core/wire/session-spec.ts'
import { facesSpec, livenessWarning, missingModels, modelIds, withoutMissing } from '../face-models.ts'
import type { CliContext } from './context.ts'

/** `null` without faces; says in one line how to add what is missing, faces or liveness. */
export async function pickFaces(
  context: CliContext,
  config: Config,
  faces: CameraConfig['faces'],
): Promise<FacesSpec | null> {
  if (!faces.enabled) return null
  const spec = facesSpec(config, faces)
  const missing = await missingModels(config, modelIds(spec))
  const usable = withoutMissing(spec, new Set(missing), faces.liveness)
  const warning = usable
    ? livenessWarning(usable)
    : `no faces: ${missing.join(' and ')} not installed; to add them run \`grabber models pull\``
  if (warning !== undefined) context.stderr.write(`${warning}\n`)
  return usable
}
