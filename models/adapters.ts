/**
 * Which adapter a model of the manifest has. Runs in the engine host and its inference thread.
 */
import type { ModelAdapter } from './adapter.ts'
import { denseFeaturesAdapter } from './dense-features.ts'
import { embedderAdapter } from './embedder.ts'
import { livenessAdapter } from './liveness.ts'
import type { ModelEntry } from './model-entry.ts'
import { yunetAdapter } from './yunet.ts'

const adapters: Record<ModelEntry['kind'], (entry: ModelEntry) => ModelAdapter> = {
  'face-detector': yunetAdapter,
  'face-embedder': embedderAdapter,
  'face-liveness': livenessAdapter,
  'dense-features': denseFeaturesAdapter,
}

export function adapterFor(entry: ModelEntry): ModelAdapter {
  return adapters[entry.kind](entry)
}
