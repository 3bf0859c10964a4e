/**
 * Which face models a camera uses, and whether they are installed. Runs in the daemon and in commands.
 */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { CameraConfig } from '../config/camera-config.ts'
import type { Config } from '../config/schema.ts'
import { GrabberError } from '../core/errors.ts'
import type { FacesSpec } from '../core/wire/control.ts'
import type { EngineModelSpec } from '../core/wire/engine-control.ts'
import { findModel, installedPath, type ModelEntry, verifyModel } from '../models/manifest.ts'

export function modelsDir(config: Config): string {
  return join(config.data, 'models')
}

/** What a session has to know to look for faces. MDL_INVALID when a model is not of the kind it is used for. */
export function facesSpec(faces: CameraConfig['faces']): FacesSpec {
  const detector = modelOfKind(faces.detector, 'face-detector')
  const embedder = modelOfKind(faces.embedder, 'face-embedder')
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
    template: alignment.template,
    cropPx: alignment.cropPx,
  }
}

/** The models' files for an engine. MDL_MISSING, MDL_HASH: hashes are checked here, and again by the engine host. */
export async function installedModels(folder: string, ids: Iterable<string>): Promise<EngineModelSpec[]> {
  const specs = [...new Set(ids)].map((id) => findModel(id))
  return Promise.all(
    specs.map(async (entry) => {
      await verifyModel(folder, entry)
      return { id: entry.id, path: installedPath(folder, entry) }
    }),
  )
}

/** Ids of those that are not there at all; a file that is there and wrong is an error instead. */
export async function missingModels(folder: string, ids: Iterable<string>): Promise<string[]> {
  const missing: string[] = []
  for (const id of new Set(ids)) {
    const found = await stat(installedPath(folder, findModel(id))).catch(() => undefined)
    if (!found) missing.push(id)
  }
  return missing
}

/** Length of an embedder's vectors. */
export function embeddingDimension(id: string): number {
  const { dimension } = modelOfKind(id, 'face-embedder')
  if (dimension === null) throw new GrabberError('MDL_INVALID', `${id} does not say how long its embeddings are`)
  return dimension
}

function modelOfKind(id: string, kind: ModelEntry['kind']): ModelEntry {
  const entry = findModel(id)
  if (entry.kind !== kind) throw new GrabberError('MDL_INVALID', `${id} is a ${entry.kind}, not a ${kind}`)
  return entry
}
