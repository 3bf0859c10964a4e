/**
 * Which models an engine serves, and the change from one set to another. Runs in the engine host's I/O thread. A request
 * belongs to the version of its model that was served when it came; a version that was replaced goes when its last request is
 * answered.
 */
import { createHash } from 'node:crypto'
import { GrabberError } from '../core/errors.ts'
import type { EngineModelSpec } from '../core/wire/engine-control.ts'
import type { ModelAdapter } from './adapter.ts'
import { adapterFor } from './adapters.ts'
import type { ModelFile } from './inference-wire.ts'
import { findModel } from './manifest.ts'
import { entrySchema, type ModelEntry } from './model-entry.ts'
import { readVerified } from './model-files.ts'

export interface ServedModel {
  id: string
  /** Distinguishes two versions of one id, by everything that their manifest entries say. */
  key: string
  entry: ModelEntry
  adapter: ModelAdapter
}

/** A set that was asked for, and where its files are. */
export type WantedModel = ServedModel & { path: string }

export class ModelSet {
  #served = new Map<string, ServedModel>()
  /** Requests that are not answered, by key. */
  readonly #open = new Map<string, number>()
  readonly #onUnused: (model: ServedModel) => void

  /** `onUnused`: a replaced version was asked for the last time and has answered. */
  constructor(onUnused: (model: ServedModel) => void) {
    this.#onUnused = onUnused
  }

  get ids(): string[] {
    return [...this.#served.keys()]
  }

  /** Throws MDL_MISSING. */
  find(id: string): ServedModel {
    const model = this.#served.get(id)
    if (model === undefined) throw new GrabberError('MDL_MISSING', `the engine has no model ${id}`)
    return model
  }

  /** Those of `wanted` that are not served as they are. */
  missing(wanted: readonly WantedModel[]): WantedModel[] {
    return wanted.filter(({ id, key }) => this.#served.get(id)?.key !== key)
  }

  /** From now on exactly these are served. */
  replace(next: readonly ServedModel[]): void {
    const before = [...this.#served.values()]
    this.#served = new Map(next.map((model) => [model.id, model]))
    for (const model of before) this.#leaveIfUnused(model)
  }

  opened({ key }: ServedModel): void {
    this.#open.set(key, (this.#open.get(key) ?? 0) + 1)
  }

  settled(model: ServedModel): void {
    const left = (this.#open.get(model.key) ?? 0) - 1
    if (left > 0) {
      this.#open.set(model.key, left)
      return
    }
    this.#open.delete(model.key)
    this.#leaveIfUnused(model)
  }

  #leaveIfUnused(model: ServedModel): void {
    if (this.#served.get(model.id)?.key === model.key || this.#open.has(model.key)) return
    this.#onUnused(model)
  }
}

/** What the specs ask for. Throws MDL_INVALID for an unknown model, an entry that is none, and an id that is there twice. */
export function wantedModels(specs: readonly EngineModelSpec[]): WantedModel[] {
  const wanted = specs.map(({ id, path, entry: given }) => {
    const entry = given === undefined ? findModel(id) : parseEntry(id, given)
    const key = `${id}@${createHash('sha256').update(JSON.stringify(entry)).digest('hex').slice(0, 16)}`
    return { id, key, path, entry, adapter: adapterFor(entry) }
  })
  const twice = wanted.find(({ id }, index) => wanted.findIndex((other) => other.id === id) !== index)
  if (twice !== undefined) throw new GrabberError('MDL_INVALID', `the model ${twice.id} is asked for twice`)
  return wanted
}

/** Reads and checks the file. MDL_MISSING, MDL_HASH. */
export async function readModel({ key, entry, path }: WantedModel): Promise<ModelFile> {
  return { key, entry, bytes: await readVerified(path, entry) }
}

function parseEntry(id: string, given: object): ModelEntry {
  const parsed = entrySchema.safeParse(given)
  if (parsed.success && parsed.data.id === id) return parsed.data
  const why = parsed.success ? `it is that of ${parsed.data.id}` : parsed.error.issues[0]?.message
  throw new GrabberError('MDL_INVALID', `the manifest entry given for ${id} is not usable: ${why}`)
}
