/**
 * Which face models are used, where the configuration says `auto`: the same answer for the same folder. Runs in the daemon
 * and in commands; reads the models folder and the gallery, writes nothing.
 *
 * The order: an embedder that the gallery has embeddings of, because another one would know nobody; then what is installed
 * before what is not; then what was verified here before what was not; then the order of the manifest. Of what is not
 * installed, one that can be downloaded comes first: its name is what a person is told to pull.
 */
import { join } from 'node:path'
import { type CameraConfig, cameraConfig } from '../config/camera-config.ts'
import type { Config } from '../config/schema.ts'
import { GrabberError } from '../core/errors.ts'
import type { Logger } from '../core/ports.ts'
import type { EngineModelSpec } from '../core/wire/engine-control.ts'
import type { FacesSpec, KeyframeSpec } from '../core/wire/session-spec.ts'
import { type KnownModel, knownModels } from '../models/manifest.ts'
import type { ModelEntry } from '../models/model-entry.ts'
import {
  facesSpec,
  installedModels,
  livenessWarning,
  missingModels,
  modelIds,
  modelsDir,
  withoutMissing,
} from './face-models.ts'
import { featuresModelOf } from './features-model.ts'
import { keyframeSpec } from './keyframe-spec.ts'
import { byPreference } from './model-preference.ts'
import { galleryModels } from './store/gallery-models.ts'

export interface ModelChoice {
  /** `null` for a camera without faces. */
  faces(camera: CameraConfig): FacesSpec | null
  /** `null` for a camera that keeps no keyframes. */
  keyframes(camera: CameraConfig): KeyframeSpec | null
  engineModels: EngineModelSpec[]
  /** Cameras that are to look for faces and cannot, for want of models. */
  blind: string[]
  /** Settled: it names the detector and the embedder, the latter that of the gallery and of every camera with faces. */
  config: Config
}

/**
 * A configuration that names its detector and embedder: `auto` is replaced by the choice, for all cameras alike.
 * MDL_INVALID when the user's manifest is wrong or the gallery's embedder is not known.
 */
export function settleModels(config: Config): Config {
  const { faces } = config.defaults
  const known = knownModels(modelsDir(config))
  const detector = faces.detector === 'auto' ? best(config, known, 'face-detector') : faces.detector
  const embedder =
    faces.embedder === 'auto'
      ? (galleryEmbedder(config, known) ?? best(config, known, 'face-embedder'))
      : faces.embedder
  const chosen = { detector, embedder }
  const cameras = Object.entries(config.cameras).map(([id, camera]) => {
    const own = camera.faces ?? {}
    const settled = {
      ...own,
      ...(own.detector === 'auto' ? { detector } : {}),
      ...(own.embedder === 'auto' ? { embedder } : {}),
    }
    return [id, { ...camera, ...(camera.faces ? { faces: settled } : {}) }] as const
  })
  return {
    ...config,
    defaults: { ...config.defaults, faces: { ...faces, ...chosen } },
    cameras: Object.fromEntries(cameras),
  }
}

/**
 * GAL_MODEL_MISMATCH when people are enrolled, and none of them with `embedder`: everybody would be a stranger. Not asked
 * by those who enrol.
 */
export function checkGalleryModel(config: Config, embedder: string): void {
  const models = galleryModels(databasePath(config))
  if (models.length === 0 || models.some(({ model }) => model === embedder)) return
  const [first] = models
  throw new GrabberError(
    'GAL_MODEL_MISMATCH',
    `the gallery has ${first!.embeddings} embeddings of ${first!.model} and none of ${embedder}`,
    { remedy: `set faces.embedder to ${first!.model} or auto, or enrol everybody again with ${embedder}` },
  )
}

/**
 * What the daemon runs. Cameras whose models are not installed run without faces, or without liveness, with one warning of
 * each kind for all. GAL_MODEL_MISMATCH when the gallery is of another embedder, or a camera's embedder is not
 * the gallery's.
 */
export async function chooseModels(given: Config, logger: Logger): Promise<ModelChoice> {
  const config = settleModels(given)
  const { embedder } = config.defaults.faces
  const cameras = Object.keys(config.cameras)
    .map((id) => ({ id, settings: cameraConfig(config, id).faces }))
    .filter(({ settings }) => settings.enabled)
    .map(({ id, settings }) => ({ id, settings, spec: facesSpec(config, settings) }))
  for (const { id, settings } of cameras) checkSameEmbedder(id, settings.embedder, embedder)
  if (cameras.length > 0) checkGalleryModel(config, embedder)
  const wanted = new Set(cameras.flatMap(({ spec }) => modelIds(spec)))
  const missing = new Set(await missingModels(config, wanted))
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
  const keyframes = chooseKeyframes(config, logger)
  const features = [...keyframes.values()].flatMap(({ features }) => features?.model ?? [])
  const engineModels = await installedModels(config, new Set([...wanted.difference(missing), ...features]))
  const blind = cameras.filter(({ id }) => !specs.has(id)).map(({ id }) => id)
  return {
    faces: ({ id }) => specs.get(id) ?? null,
    keyframes: ({ id }) => keyframes.get(id) ?? null,
    ...{ engineModels, blind, config },
  }
}

/** Of the cameras that keep them. A model of dense features that is named and not installed is left out, with a warning. */
function chooseKeyframes(config: Config, logger: Logger): Map<string, KeyframeSpec> {
  const specs = new Map<string, KeyframeSpec>()
  for (const id of Object.keys(config.cameras)) {
    const { keyframes } = cameraConfig(config, id)
    if (!keyframes.enabled) continue
    let model: string | null = null
    try {
      model = featuresModelOf(config, keyframes)
    } catch (error) {
      if (!(error instanceof GrabberError) || error.code !== 'MDL_MISSING') throw error
      logger.warn({ camera: id }, `keyframes without dense features: ${error.message}; run \`grabber models pull\``)
    }
    specs.set(id, keyframeSpec(keyframes, model, null))
  }
  return specs
}

function checkSameEmbedder(camera: string, own: string, gallery: string): void {
  if (own === gallery) return
  throw new GrabberError('GAL_MODEL_MISMATCH', `camera ${camera} uses ${own}, and the gallery ${gallery}`, {
    remedy: `remove cameras.${camera}.faces.embedder: there is one gallery, and it belongs to one embedder`,
  })
}

export const databasePath = (config: Config) => join(config.data, 'grabber.db')

function best(config: Config, known: readonly KnownModel[], kind: ModelEntry['kind']): string {
  const entries = known.map(({ entry }) => entry).filter((entry) => entry.kind === kind)
  const [first] = byPreference(modelsDir(config), entries)
  if (first) return first.id
  throw new GrabberError('MDL_INVALID', `the manifest has no ${kind}`)
}

function galleryEmbedder(config: Config, known: readonly KnownModel[]): string | undefined {
  const [first] = galleryModels(databasePath(config))
  if (!first) return undefined
  if (known.some(({ entry }) => entry.id === first.model)) return first.model
  throw new GrabberError('MDL_INVALID', `the gallery was made with ${first.model}, which no manifest has`, {
    remedy: `add ${first.model} to manifest.local.json in the models folder, or name another faces.embedder and enrol again`,
  })
}
