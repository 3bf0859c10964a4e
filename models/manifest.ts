/**
 * The table of models: what each file is, where it comes from, under which licence, what goes in and what comes out.
 * Read from models/manifest.json beside this module. Runs in every process; must never load a model or touch the network.
 */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { GrabberError } from '../core/errors.ts'
import { entrySchema, type ModelEntry } from './model-entry.ts'

export {
  installedPath,
  type PullOptions,
  type PullResult,
  pullModel,
  readVerified,
  verifyModel,
} from './model-files.ts'
export type { ModelEntry }

const manifestSchema = z
  .strictObject({ version: z.literal(1), models: z.array(entrySchema).min(1) })
  .superRefine((manifest, context) => {
    const complain = (index: number, key: string, message: string) =>
      context.addIssue({ code: 'custom', path: ['models', index, key], message })
    const seen = new Set<string>()
    for (const [index, entry] of manifest.models.entries()) {
      if (seen.has(entry.id)) complain(index, 'id', `the id ${entry.id} is used twice`)
      seen.add(entry.id)
      if (entry.source.derived === 'converted' && entry.conversion === null) {
        complain(index, 'conversion', 'a converted model has to say from what and how')
      }
      if (entry.kind === 'face-embedder' && entry.alignment === null) {
        complain(index, 'alignment', 'an embedder needs the template its crops are aligned by')
      }
      if (entry.kind === 'face-embedder' && entry.dimension === null) {
        complain(index, 'dimension', 'an embedder has to say how long its embeddings are')
      }
      if (entry.kind === 'face-liveness' && entry.boxScale === undefined) {
        complain(index, 'boxScale', 'a liveness model has to say how much of the face’s surroundings it sees')
      }
      if (entry.kind === 'face-liveness' && !(entry.thresholds.live && entry.thresholds.spoof)) {
        complain(index, 'thresholds', 'a liveness model needs the thresholds live and spoof')
      }
    }
  })

export type Manifest = z.infer<typeof manifestSchema>

/** The manifest in `text`. Throws MDL_INVALID that names every problem with its path. */
export function parseManifest(text: string): Manifest {
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch (cause) {
    throw new GrabberError('MDL_INVALID', 'the manifest is not JSON', { cause })
  }
  const parsed = manifestSchema.safeParse(raw)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'manifest'}: ${issue.message}`)
  throw new GrabberError('MDL_INVALID', `the manifest has errors: ${problems.join('; ')}`, { context: { problems } })
}

let loaded: Manifest | undefined

/** The manifest that came with this program; read once. Throws MDL_INVALID. */
export function loadManifest(): Manifest {
  if (loaded === undefined) {
    let text: string
    try {
      text = readFileSync(new URL('./manifest.json', import.meta.url), 'utf8')
    } catch (cause) {
      throw new GrabberError('MDL_INVALID', 'models/manifest.json cannot be read', { cause })
    }
    loaded = parseManifest(text)
  }
  return loaded
}

/** Throws MDL_INVALID when the manifest has no such model. */
export function findModel(id: string): ModelEntry {
  const { models } = loadManifest()
  const entry = models.find((model) => model.id === id)
  if (entry !== undefined) return entry
  throw new GrabberError('MDL_INVALID', `the manifest has no model ${id}`, {
    remedy: `use one of ${models.map((model) => model.id).join(', ')}`,
  })
}
