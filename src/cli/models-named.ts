/**
 * The models that a command line names, and work done on each of them. Runs in commands.
 */
import { nearestKey } from '../../config/nearest-key.ts'
import type { Config } from '../../config/schema.ts'
import { GrabberError } from '../../core/errors.ts'
import { knownModels } from '../../models/manifest.ts'
import type { ModelEntry } from '../../models/model-entry.ts'
import { modelsDir } from '../face-models.ts'
import { type CliContext, usage } from './context.ts'

/** In the order of `ids`. CFG_USAGE with the nearest id when there is none. */
export function namedModels(config: Config, ids: readonly string[]): ModelEntry[] {
  const models = knownModels(modelsDir(config)).map(({ entry }) => entry)
  return ids.map((id) => {
    const entry = models.find((model) => model.id === id)
    if (entry) return entry
    const nearest = nearestKey(
      id,
      models.map((model) => model.id),
    )
    throw usage(`there is no model ${id}${nearest === undefined ? '' : ` (did you mean ${nearest}?)`}`)
  })
}

/** Goes on after a model that fails, so that one try shows all; then throws with the first code. */
export async function eachModel(
  context: CliContext,
  entries: readonly ModelEntry[],
  work: (entry: ModelEntry) => Promise<string>,
): Promise<void> {
  const failures: GrabberError[] = []
  for (const entry of entries) {
    try {
      context.stdout.write(`${entry.id}: ${await work(entry)}\n`)
    } catch (error) {
      context.signal.throwIfAborted()
      if (!(error instanceof GrabberError)) throw error
      failures.push(error)
      if (entries.length > 1) context.stderr.write(`${entry.id}: ${error.line}\n`)
    }
  }
  const first = failures[0]
  if (first && entries.length === 1) throw first
  if (first)
    throw new GrabberError(first.code, `${failures.length} of ${entries.length} models failed`, { cause: first })
}
