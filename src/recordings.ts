/**
 * Which recordings the words of a command line mean, and what tells one recording from another. Runs in commands.
 */
import { createHash } from 'node:crypto'
import { glob, open, readdir, stat } from 'node:fs/promises'
import { basename, extname, join, resolve } from 'node:path'
import { GrabberError } from '../core/errors.ts'
import { NODE_CAMERA } from '../core/event.ts'

/** Containers that a folder is searched for (REQUIREMENTS S5); a file that is named is taken whatever its name. */
const EXTENSIONS = new Set(['.mp4', '.mkv', '.mov', '.avi', '.ts', '.webm', '.flv', '.wmv', '.m4v', '.mpg'])
const GLOB = /[*?[{]/
/** Read at either end for the fingerprint, bytes. */
const SAMPLE_BYTES = 1024 * 1024

/** Absolute paths in the order given, those of folders and patterns sorted. SRC_NOT_FOUND, SRC_EMPTY. */
export async function findRecordings(words: readonly string[], cwd: string): Promise<string[]> {
  const found: string[] = []
  for (const word of words) found.push(...(await expand(word, cwd)))
  return [...new Set(found)]
}

async function expand(word: string, cwd: string): Promise<string[]> {
  const path = resolve(cwd, word)
  const kind = await stat(path).catch(() => undefined)
  if (kind?.isDirectory()) return filesOf(path)
  if (kind) return [path]
  if (!GLOB.test(word)) throw new GrabberError('SRC_NOT_FOUND', `${word} does not exist`)
  const matches = await Array.fromAsync(glob(word, { cwd }))
  if (matches.length === 0) throw new GrabberError('SRC_EMPTY', `nothing matches ${word}`)
  return matches.sort().map((match) => resolve(cwd, match))
}

/** Whether a file of a folder is taken for one; hidden files are somebody's work in progress. */
export function isRecordingName(name: string): boolean {
  return !name.startsWith('.') && EXTENSIONS.has(extname(name).toLowerCase())
}

async function filesOf(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter(isRecordingName).sort()
  if (names.length === 0) throw new GrabberError('SRC_EMPTY', `${folder} holds no recording`)
  return names.map((name) => join(folder, name))
}

/**
 * Before anything opens it: a pipe or a device would hold the open for ever, and has no end to count on.
 * SRC_NOT_FOUND, SRC_EMPTY, SRC_UNSUPPORTED.
 */
export async function checkRecording(path: string): Promise<void> {
  const kind = await stat(path).catch(() => undefined)
  if (!kind) throw new GrabberError('SRC_NOT_FOUND', `${basename(path)} does not exist`)
  if (!kind.isFile()) {
    throw new GrabberError('SRC_UNSUPPORTED', 'it is not a regular file', { remedy: 'give a recorded file' })
  }
  if (kind.size === 0) throw new GrabberError('SRC_EMPTY', 'the file is empty')
}

/**
 * 48 bits of SHA-256 over the size and both ends of the file: the same recording wherever it lies. Not the whole file: a
 * recording may be large, and what follows from a collision is only that two recordings of one camera share event ids.
 * SRC_UNREADABLE.
 */
export async function fingerprint(path: string): Promise<string> {
  await using file = await open(path).catch((cause: NodeJS.ErrnoException) => {
    throw new GrabberError('SRC_UNREADABLE', `the file cannot be opened (${cause.code})`, { cause })
  })
  const { size } = await file.stat()
  const hash = createHash('sha256').update(`${size}\n`)
  for (const position of [0, Math.max(SAMPLE_BYTES, size - SAMPLE_BYTES)]) {
    const buffer = Buffer.alloc(Math.max(0, Math.min(SAMPLE_BYTES, size - position)))
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position)
    hash.update(buffer.subarray(0, bytesRead))
  }
  return hash.digest('hex').slice(0, 12)
}

/** A camera id made of a file's name. */
export function cameraIdOf(path: string): string {
  const stem = basename(path, extname(path)).toLowerCase()
  const id = stem.replaceAll(/[^a-z0-9_-]+/g, '-').slice(0, 64) || 'recording'
  return id === NODE_CAMERA ? 'node' : id
}
