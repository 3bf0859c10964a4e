/**
 * Which of several models of one kind comes first: what is installed, then what can be had, then what was verified. Runs in the
 * daemon and in commands; reads the models folder.
 */
import { statSync } from 'node:fs'
import type { ModelEntry } from '../models/model-entry.ts'
import { installedPath } from '../models/model-files.ts'

/** The models of one kind in the order of choice. */
export function byPreference(folder: string, models: readonly ModelEntry[]): ModelEntry[] {
  const rank = (entry: ModelEntry): number => {
    const installed = isThere(folder, entry)
    const reach = installed ? 0 : entry.urls.length > 0 ? 1 : 2
    return 2 * reach + (entry.verification.status === 'verified' ? 0 : 1)
  }
  // Stable: the manifest's order stays where the ranks are equal.
  return [...models].sort((a, b) => rank(a) - rank(b))
}

/** By its size only: quick. Whoever loads it checks the hash. */
export function isThere(folder: string, entry: ModelEntry): boolean {
  return statSync(installedPath(folder, entry), { throwIfNoEntry: false })?.size === entry.bytes
}
