/**
 * The table of models: what each file is, where it comes from, under which licence, what goes in and what comes out.
 * Read from models/manifest.json beside this module, and from the user's own beside the files. Runs in every process; must
 * never load a model or touch the network.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { GrabberError } from '../core/errors.ts'
import { entrySchema, type ModelEntry } from './model-entry.ts'

export type { ModelEntry }

const SHIPPED = 'models/manifest.json'

const manifestSchema = z
  .strictObject({ version: z.literal(1), models: z.array(entrySchema).min(1) })
  .superRefine((manifest, context) => {
    const complain = (index: number, key: string, message: string) =>
      context.addIssue({ code: 'custom', path: ['models', index, key], message })
    const seen = new Set<string>()
    for (const [index, entry] of manifest.models.entries()) {
      if (seen.has(entry.id)) complain(index, 'id', `the id ${entry.id} is used twice`)
      seen.add(entry.id)
      if (entry.source?.derived === 'converted' && entry.conversion === null) {
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
      if (entry.kind === 'dense-features') for (const [key, what] of featureProblems(entry)) complain(index, key, what)
    }
  })

function* featureProblems({ patches, dimension, input }: ModelEntry): Generator<[key: string, what: string]> {
  if (dimension === null) yield ['dimension', 'a model of dense features has to say how long its descriptors are']
  if (patches === null) {
    yield ['patches', 'a model of dense features has to say where its descriptors are']
    return
  }
  const { fixedSidePx, multipleOfPx } = input
  if ((fixedSidePx ?? multipleOfPx) % patches.patchPx !== 0) {
    yield ['patches', `the sides of the input are no multiples of ${patches.patchPx} px`]
  }
}

export type Manifest = z.infer<typeof manifestSchema>

/** The manifest in `text`; `name` says whose it is. Throws MDL_INVALID that names every problem with its path. */
export function parseManifest(text: string, name = SHIPPED): Manifest {
  const own = name === SHIPPED ? {} : { remedy: `correct ${name} (docs/models.md), or take it away` }
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch (cause) {
    throw new GrabberError('MDL_INVALID', `${name} is not JSON`, { cause, ...own })
  }
  const parsed = manifestSchema.safeParse(raw)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'manifest'}: ${issue.message}`)
  throw new GrabberError('MDL_INVALID', `${name} has errors: ${problems.join('; ')}`, { context: { problems }, ...own })
}

let shipped: Manifest | undefined

/** The manifest that came with this program; read once. Throws MDL_INVALID. */
export function loadManifest(): Manifest {
  if (shipped === undefined) {
    shipped = parseManifest(readText(new URL('./manifest.json', import.meta.url)))
    for (const { id, source } of shipped.models) {
      if (source === null) throw new GrabberError('MDL_INVALID', `models/manifest.json: ${id} does not say its source`)
    }
  }
  return shipped
}

/** The user's own manifest beside the model files, for models that this program does not know. */
export const localManifestPath = (modelsDir: string) => join(modelsDir, 'manifest.local.json')

/** The manifest of a file: the user's own, or one that a test or a self-test wrote. Throws MDL_INVALID. */
export function readManifest(path: string): Manifest {
  return parseManifest(readText(path), path)
}

/** A model and where its entry stands: `null` is the manifest that came with this program. */
export interface KnownModel {
  entry: ModelEntry
  manifest: string | null
}

/**
 * Every model that this program and its user know: those of the program first, then those of `manifest.local.json`, each in
 * their order. Throws MDL_INVALID, also when both use an id or a file name.
 */
export function knownModels(modelsDir: string): KnownModel[] {
  const known: KnownModel[] = loadManifest().models.map((entry) => ({ entry, manifest: null }))
  const path = localManifestPath(modelsDir)
  if (!existsSync(path)) return known
  for (const entry of readManifest(path).models) {
    const other = known.find((one) => one.entry.id === entry.id || one.entry.file === entry.file)
    if (other) {
      throw new GrabberError('MDL_INVALID', `${path}: ${entry.id} has the id or the file of ${other.entry.id}`, {
        remedy: 'give it an id and a file name of its own',
      })
    }
    known.push({ entry, manifest: path })
  }
  return known
}

/** Throws MDL_INVALID when none of `models` has the id. */
export function findModel(id: string, models: readonly ModelEntry[] = loadManifest().models): ModelEntry {
  const entry = models.find((model) => model.id === id)
  if (entry !== undefined) return entry
  throw new GrabberError('MDL_INVALID', `the manifest has no model ${id}`, {
    remedy: `use one of ${models.map((model) => model.id).join(', ')}`,
  })
}

function readText(path: string | URL): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new GrabberError('MDL_INVALID', `${path instanceof URL ? 'models/manifest.json' : path} cannot be read`, {
      cause,
    })
  }
}
