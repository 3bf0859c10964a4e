/**
 * Whether a recording is still the file that it was. Session host only.
 */
import { stat } from 'node:fs/promises'
import { GrabberError } from '../../core/errors.ts'
import type { FileIdentity } from '../../core/wire/session-spec.ts'

/** `null` where there is no such file. */
export async function identityOf(path: string): Promise<FileIdentity | null> {
  const found = await stat(path).catch(() => null)
  return found && { sizeBytes: found.size, modifiedMs: found.mtimeMs, inode: found.ino }
}

/** Throws SRC_CHANGED. */
export function expectSame(before: FileIdentity | null, now: FileIdentity | null): void {
  const what = differenceOf(before, now)
  if (what !== undefined) throw new GrabberError('SRC_CHANGED', `the file ${what} while it was read`)
}

function differenceOf(before: FileIdentity | null, now: FileIdentity | null): string | undefined {
  if (!before || !now) return before === now ? undefined : 'came or went'
  if (before.inode !== now.inode) return 'was replaced'
  if (before.sizeBytes !== now.sizeBytes) return now.sizeBytes > before.sizeBytes ? 'grew' : 'shrank'
  return before.modifiedMs === now.modifiedMs ? undefined : 'was written to'
}
