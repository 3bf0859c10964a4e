/**
 * The gallery as a command sees it that must not write it. Runs in commands.
 */
import { existsSync } from 'node:fs'
import type { Config } from '../../config/schema.ts'
import type { FaceGallery } from '../../core/ports.ts'
import { embeddingDimension } from '../face-models.ts'
import { databasePath } from '../model-choice.ts'
import { GallerySnapshot } from '../store/gallery-snapshot.ts'

/** Nobody is known when there is no data folder yet. STO_UNUSABLE, STO_VERSION. */
export function openGallerySnapshot(config: Config, model: string): FaceGallery {
  const path = databasePath(config)
  const dimension = embeddingDimension(config, model)
  return existsSync(path) ? GallerySnapshot.read(path, model, dimension) : GallerySnapshot.empty(model, dimension)
}
