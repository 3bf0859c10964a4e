/**
 * The gallery as a command sees it that must not write it. Runs in commands.
 */
import { existsSync } from 'node:fs'
import type { Config } from '../../config/schema.ts'
import { embeddingDimension, facesSpec } from '../face-models.ts'
import { databasePath } from '../model-choice.ts'
import { GallerySnapshot } from '../store/gallery-snapshot.ts'
import { MemoryVisitors } from '../store/memory-visitors.ts'

/** Nobody is known when there is no data folder yet. STO_UNUSABLE, STO_VERSION. */
export function openGallerySnapshot(config: Config, model: string): GallerySnapshot {
  const path = databasePath(config)
  const people = { model, dimension: embeddingDimension(config, model) }
  return existsSync(path) ? GallerySnapshot.read(path, people) : GallerySnapshot.empty(people)
}

/** The people without a name of a snapshot; whoever comes to them goes with the command. */
export function visitorsOf(snapshot: GallerySnapshot, config: Config): MemoryVisitors {
  const { matchThreshold, minMargin } = facesSpec(config)
  const { node, visitors } = config
  const options = { node, matchThreshold, minMargin, dimension: snapshot.dimension, maxPeople: visitors.maxPeople }
  return new MemoryVisitors(options, snapshot.visitors)
}
