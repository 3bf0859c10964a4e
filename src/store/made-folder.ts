/**
 * Folders that need not be there yet. Runs in the daemon and in commands.
 */
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * False when it was there. Not mkdir's `recursive`: where a folder exists and can hold none (/proc), Node 24 tries for
 * ever, and no signal is heard meanwhile. `mode` is that of what is made, less the umask.
 */
export function madeFolder(path: string, mode: number): boolean {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return false
  const parent = dirname(path)
  if (parent !== path) madeFolder(parent, mode)
  mkdirSync(path, { mode })
  return true
}
