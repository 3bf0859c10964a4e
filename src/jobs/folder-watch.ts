/**
 * A folder that recordings are put into: says of each when it is complete. Runs in commands. Looks at names, sizes and times now and
 * then; the kernel's notices would miss what another machine writes to a network file system, and say nothing of when a writer is done.
 */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, delay } from '../../core/clock.ts'
import type { Logger } from '../../core/ports.ts'
import { isRecordingName } from '../recordings.ts'

/** A file's size and time are looked at so often at least within the quiet time. */
const LOOKS = 4
const MAX_POLL_MS = 1000

export interface FolderWatchOptions {
  /** Absolute. */
  folder: string
  /** A file is complete when nothing of it has changed for so long. */
  quietMs: number
  clock: Clock
  logger: Logger
  signal: AbortSignal
  /** Again when it changes after that. */
  onComplete(path: string): Promise<void>
}

interface Sighting {
  /** Of inode, size and time. */
  stamp: string
  sinceMs: number
  told: boolean
}

/** Until the signal is aborted. Files that are there at the beginning count as well. Rejects with what `onComplete` throws. */
export async function watchFolder(options: FolderWatchOptions): Promise<void> {
  const { clock, quietMs, signal } = options
  const seen = new Map<string, Sighting>()
  const pollMs = Math.min(MAX_POLL_MS, quietMs / LOOKS)
  for (let there = true; !signal.aborted; ) {
    there = await look(options, seen, there)
    await delay(clock, pollMs, signal).catch(() => undefined)
  }
}

/** False while the folder cannot be read: a network file system that is away comes back. */
async function look(options: FolderWatchOptions, seen: Map<string, Sighting>, was: boolean): Promise<boolean> {
  const { folder, logger, clock, quietMs, signal, onComplete } = options
  let names: string[]
  try {
    names = (await readdir(folder)).filter(isRecordingName).sort()
  } catch (error) {
    if (was) logger.warn({ folder, error: (error as Error).message }, 'the watched folder cannot be read')
    return false
  }
  for (const name of seen.keys()) if (!names.includes(name)) seen.delete(name)
  for (const name of names) {
    // One that was removed meanwhile is gone at the next look.
    const found = await stat(join(folder, name), { bigint: true }).catch(() => undefined)
    if (!found?.isFile() || signal.aborted) continue
    const stamp = `${found.ino} ${found.size} ${found.mtimeNs}`
    const nowMs = clock.monotonicMs()
    const before = seen.get(name)
    if (before?.stamp !== stamp) seen.set(name, { stamp, sinceMs: nowMs, told: false })
    else if (!before.told && nowMs - before.sinceMs >= quietMs) {
      before.told = true
      await onComplete(join(folder, name))
    }
  }
  return true
}
