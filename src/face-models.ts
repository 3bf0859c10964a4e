/**
 * Which face models a camera uses, and whether they are installed. Runs in the daemon and in commands.
 */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { CameraConfig } from '../config/camera-config.ts'
import type { Config } from '../config/schema.ts'
import { GrabberError } from '../core/errors.ts'
import type { EngineModelSpec } from '../core/wire/engine-control.ts'
import type { FacesSpec, LivenessModel } from '../core/wire/session-spec.ts'
import { findModel, type KnownModel, knownModels } from '../models/manifest.ts'
import type { ModelEntry } from '../models/model-entry.ts'
import { installedPath, verifyModel } from '../models/model-files.ts'

export function modelsDir(config: Config): string {
  return join(config.data, 'models')
}

/**
 * What a session has to know to look for faces, with every model; `config` is settled (src/model-choice). MDL_INVALID when a model is not of
 * the kind it is used for.
 */
export function facesSpec(config: Config, faces: CameraConfig['faces'] = config.defaults.faces): FacesSpec {
  const detector = modelOfKind(config, faces.detector, 'face-detector')
  const embedder = modelOfKind(config, faces.embedder, 'face-embedder')
  const { alignment, thresholds } = embedder
  if (!alignment) throw new GrabberError('MDL_INVALID', `the embedder ${embedder.id} has no alignment template`)
  const calibrated = thresholds.match?.value
  const matchThreshold = faces.matchThreshold === 'auto' ? calibrated : faces.matchThreshold
  if (matchThreshold === undefined) throw new GrabberError('MDL_INVALID', `${embedder.id} has no match threshold`)
  return {
    detector: detector.id,
    embedder: embedder.id,
    detectThreshold: faces.detectThreshold,
    matchThreshold,
    minMargin: faces.minMargin,
    maxPerFrame: faces.maxPerFrame,
    confirmEmbeddings: faces.confirmEmbeddings,
    unknown: faces.unknown,
    liveness: livenessSpec(config, faces.liveness),
    template: alignment.template,
    cropPx: alignment.cropPx,
  }
}

/** Ids of the models that a session with `spec` asks for. */
export function modelIds({ detector, embedder, liveness }: FacesSpec): string[] {
  return [detector, embedder, ...(liveness?.models ?? []).map(({ id }) => id)]
}

/**
 * `spec` without the models in `missing`: `null` when no face can be found or told apart. Without a liveness model nothing is
 * judged; whether names are confirmed all the same is the setting's choice (config/schema, `faces.liveness`).
 */
export function withoutMissing(
  spec: FacesSpec,
  missing: ReadonlySet<string>,
  setting: CameraConfig['faces']['liveness'],
): FacesSpec | null {
  if (missing.has(spec.detector) || missing.has(spec.embedder)) return null
  const { liveness } = spec
  if (!liveness?.models.some(({ id }) => missing.has(id))) return spec
  return { ...spec, liveness: { mode: setting === 'require' ? 'require' : 'report', models: [] } }
}

/** What to tell a person once when `spec` misses its liveness models. */
export function livenessWarning({ liveness }: FacesSpec): string | undefined {
  if (!liveness || liveness.models.length > 0) return undefined
  return liveness.mode === 'require'
    ? 'no name is confirmed: faces.liveness is require, and its models are not installed; run `grabber models pull`, or set it to report'
    : 'liveness is not checked: its models are not installed; to add them run `grabber models pull`'
}

function livenessSpec(config: Config, setting: CameraConfig['faces']['liveness']): FacesSpec['liveness'] {
  if (setting === 'off' || setting === false) return null
  const models = knownModels(modelsDir(config))
    .filter(({ entry }) => entry.kind === 'face-liveness')
    .map(({ entry }) => livenessModel(entry))
  return { mode: setting === 'report' ? 'report' : 'require', models }
}

function livenessModel({
  id,
  boxScale,
  input: { fixedSidePx },
  thresholds: { live, spoof },
}: ModelEntry): LivenessModel {
  if (boxScale === undefined || fixedSidePx === null || !live || !spoof) {
    throw new GrabberError('MDL_INVALID', `the liveness model ${id} does not say what it looks at, or its thresholds`)
  }
  return { id, boxScale, cropPx: fixedSidePx, liveThreshold: live.value, spoofThreshold: spoof.value }
}

/** The models' files for an engine. MDL_*: hashes are checked here, and again by the engine host. */
export async function installedModels(config: Config, ids: Iterable<string>): Promise<EngineModelSpec[]> {
  const folder = modelsDir(config)
  return Promise.all(
    [...new Set(ids)].map(async (id) => {
      const { entry, manifest } = knownModel(config, id)
      await verifyModel(folder, entry)
      return { id, path: installedPath(folder, entry), ...(manifest === null ? {} : { entry }) }
    }),
  )
}

/** Ids of those that are not there at all; a file that is there and wrong is an error instead. */
export async function missingModels(config: Config, ids: Iterable<string>): Promise<string[]> {
  const missing: string[] = []
  for (const id of new Set(ids)) {
    const path = installedPath(modelsDir(config), knownModel(config, id).entry)
    const found = await stat(path).catch(() => undefined)
    if (!found) missing.push(id)
  }
  return missing
}

/** Length of an embedder's vectors. */
export function embeddingDimension(config: Config, id: string): number {
  const { dimension } = modelOfKind(config, id, 'face-embedder')
  if (dimension === null) throw new GrabberError('MDL_INVALID', `${id} does not say how long its embeddings are`)
  return dimension
}

/** MDL_INVALID when neither the program nor its user knows it. */
export function knownModel(config: Config, id: string): KnownModel {
  const known = knownModels(modelsDir(config))
  const entry = findModel(
    id,
    known.map((one) => one.entry),
  )
  return known.find((one) => one.entry === entry)!
}

function modelOfKind(config: Config, id: string, kind: ModelEntry['kind']): ModelEntry {
  const { entry } = knownModel(config, id)
  if (entry.kind !== kind) throw new GrabberError('MDL_INVALID', `${id} is a ${entry.kind}, not a ${kind}`)
  return entry
}
