/**
 * That what was written is on the disk before something is said that relies on it. Runs where jobs run. POSIX: a file's content,
 * and its name in a folder, are each made durable by an fsync of their own.
 */
import { type FileHandle, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { outputError } from './output-error.ts'

/** Files whose content is flushed at the same time; the disk orders them better than we could. */
const AT_ONCE = 8

/** Flushes every file below the folder, and each folder. STO_OUTPUT, STO_FULL. */
export async function syncTree(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  for (let first = 0; first < files.length; first += AT_ONCE) {
    await Promise.all(files.slice(first, first + AT_ONCE).map(syncPath))
  }
  for (const entry of entries) if (entry.isDirectory()) await syncPath(join(entry.parentPath, entry.name))
  await syncPath(folder)
}

/** A file's content, or a folder's list of names. STO_OUTPUT, STO_FULL. */
export async function syncPath(path: string): Promise<void> {
  try {
    await using handle: FileHandle = await open(path, 'r')
    await handle.sync()
  } catch (error) {
    throw outputError(error, path)
  }
}
