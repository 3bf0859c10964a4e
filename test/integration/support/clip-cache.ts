/**
 * Files that tests make once and keep in the system's temporary folder, under a name that changes with what they are made of.
 * Made beside the name and moved there, so that two tests that make the same one do no harm.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const FOLDER = join(tmpdir(), 'grabber-staged-clips')

/** The file or folder `name-<hash of parts>.extension`; `make` writes it to the path it is given when there is none yet. */
export function kept(name: string, extension: string, parts: readonly unknown[], make: (path: string) => void): string {
  const key = createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 12)
  const path = join(FOLDER, `${name}-${key}.${extension}`)
  if (existsSync(path)) return path
  mkdirSync(FOLDER, { recursive: true })
  const unfinished = join(FOLDER, `${name}-${key}.${process.pid}.part`)
  make(unfinished)
  try {
    renameSync(unfinished, path)
  } catch (error) {
    // A folder does not replace one that another test has put there meanwhile; it has the same in it.
    if (!existsSync(path)) throw error
    rmSync(unfinished, { recursive: true })
  }
  return path
}

/** An input as part of a name: another file, or another version of it, is another part. */
export function stamped(input: string): string {
  const { size, mtimeMs } = statSync(input)
  return `${input} ${size} ${Math.round(mtimeMs)}`
}
