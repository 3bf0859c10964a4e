/**
 * Model files on disk: where they lie, and whether they are the ones the manifest means. Runs in the daemon, in commands
 * and in engine hosts. Writes nothing (models/model-pull does).
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { GrabberError } from '../core/errors.ts'
import { loadManifest } from './manifest.ts'
import type { ModelEntry } from './model-entry.ts'

/** https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md: a pointer begins with this line and is smaller than 1024 bytes. */
const LFS_POINTER = /^version https:\/\/git-lfs\.github\.com\/spec\/v1\s/
const MAX_POINTER_BYTES = 1024

export function installedPath(modelsDir: string, entry: ModelEntry): string {
  return join(modelsDir, entry.file)
}

export function isLfsPointer(head: Uint8Array): boolean {
  return LFS_POINTER.test(Buffer.from(head.subarray(0, MAX_POINTER_BYTES)).toString('latin1'))
}

/** Streams the installed file through SHA-256. Rejects with MDL_MISSING, MDL_TRUNCATED, MDL_POINTER, MDL_SWAPPED, MDL_HASH. */
export function verifyModel(modelsDir: string, entry: ModelEntry): Promise<void> {
  return verifyFile(installedPath(modelsDir, entry), entry)
}

/** As `verifyModel`, wherever the file lies. */
export async function verifyFile(path: string, entry: ModelEntry): Promise<void> {
  const hash = createHash('sha256')
  let bytes = 0
  let head = Buffer.alloc(0)
  try {
    await pipeline(
      createReadStream(path),
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          if (head.length < MAX_POINTER_BYTES) head = Buffer.concat([head, chunk.subarray(0, MAX_POINTER_BYTES)])
          bytes += chunk.length
          yield chunk
        }
      },
      hash,
    )
  } catch (cause) {
    throw missing(entry, path, cause)
  }
  expectFile(entry, path, { bytes, head, sha256: hash.digest('hex') })
}

/**
 * The file's bytes, of which the hash was checked: what is loaded is what was checked, even if the file is replaced in
 * between. Rejects as `verifyModel`.
 */
export async function readVerified(path: string, entry: ModelEntry): Promise<Uint8Array> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(path)
  } catch (cause) {
    throw missing(entry, path, cause)
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  expectFile(entry, path, { bytes: bytes.length, head: bytes, sha256 })
  return bytes
}

interface Found {
  bytes: number
  head: Uint8Array
  sha256: string
}

/** The first of the reasons that says most. */
function expectFile(entry: ModelEntry, path: string, { bytes, head, sha256 }: Found): void {
  if (sha256 === entry.sha256) return
  const name = basename(path)
  const context = { model: entry.id, path, expected: entry.sha256, found: sha256 }
  const other = loadManifest().models.find((model) => model.sha256 === sha256)
  if (other) {
    throw new GrabberError('MDL_SWAPPED', `${name} should be ${entry.id} and holds ${other.id} (${other.kind})`, {
      context,
    })
  }
  if (isLfsPointer(head))
    throw new GrabberError('MDL_POINTER', `${name} is a Git LFS pointer of ${bytes} bytes`, { context })
  if (bytes < entry.bytes) {
    throw new GrabberError('MDL_TRUNCATED', `${name} has ${bytes} of ${entry.bytes} bytes`, { context })
  }
  const [expected, actual] = [entry.sha256.slice(0, 12), sha256.slice(0, 12)]
  throw new GrabberError('MDL_HASH', `${name} has SHA-256 ${actual}…, expected ${expected}…`, { context })
}

function missing(entry: ModelEntry, path: string, cause: unknown): GrabberError {
  return new GrabberError('MDL_MISSING', `${path} cannot be read`, { cause, context: { model: entry.id, path } })
}
