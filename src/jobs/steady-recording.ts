/**
 * A recording as it was when work on it began: its identity in the file system and the hash of its bytes. Runs in commands. Tells
 * a file that grows, is written over or is replaced while it is read from one that is not.
 */
import { createHash } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { GrabberError } from '../../core/errors.ts'
import { checkRecording } from '../recordings.ts'
import { errnoOf } from './output-error.ts'

/** Read at a time, bytes: large enough that the hash and not the call is what takes the time (measured: docs/decisions.md). */
const CHUNK_BYTES = 1 << 20

/** Equal only while nobody wrote to the file or put another in its place, as far as the file system tells. */
export interface FileIdentity {
  device: bigint
  inode: bigint
  sizeBytes: number
  modifiedNs: bigint
}

export interface SteadyRecording {
  path: string
  identity: FileIdentity
  /** SHA-256 of all its bytes, hex. */
  contentHash: string
}

/**
 * Reads the whole file. `onRead` hears of bytes as they are read. SRC_NOT_FOUND, SRC_EMPTY, SRC_UNSUPPORTED (no regular file),
 * SRC_UNREADABLE, SRC_CHANGED, and the reason of the signal.
 */
export async function hashRecording(
  path: string,
  signal: AbortSignal,
  onRead: (bytes: number) => void = () => undefined,
): Promise<SteadyRecording> {
  await checkRecording(path)
  await using file = await open(path).catch((cause: unknown) => {
    throw unreadable(path, cause)
  })
  const identity = identityOf(await file.stat({ bigint: true }))
  const contentHash = await hashBytes(file, signal, onRead).catch((cause: unknown) => {
    throw unreadable(path, cause)
  })
  const recording = { path, identity, contentHash }
  checkSame(recording, identityOf(await file.stat({ bigint: true })))
  await checkUnchanged(recording)
  return recording
}

/** SRC_CHANGED when the file at the path is not what was hashed any more. */
export async function checkUnchanged(recording: SteadyRecording): Promise<void> {
  const now = await stat(recording.path, { bigint: true }).catch(() => undefined)
  if (!now) throw changed('was removed')
  checkSame(recording, identityOf(now))
}

async function hashBytes(file: FileHandle, signal: AbortSignal, onRead: (bytes: number) => void): Promise<string> {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  for (;;) {
    signal.throwIfAborted()
    const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES)
    if (bytesRead === 0) return hash.digest('hex')
    hash.update(buffer.subarray(0, bytesRead))
    onRead(bytesRead)
  }
}

function identityOf({ dev, ino, size, mtimeNs }: BigIntStats): FileIdentity {
  return { device: dev, inode: ino, sizeBytes: Number(size), modifiedNs: mtimeNs }
}

function checkSame({ identity: before }: SteadyRecording, now: FileIdentity): void {
  if (before.device !== now.device || before.inode !== now.inode) throw changed('was replaced by another')
  if (now.sizeBytes > before.sizeBytes) throw changed(`grew from ${before.sizeBytes} to ${now.sizeBytes} bytes`)
  if (now.sizeBytes < before.sizeBytes) throw changed(`shrank from ${before.sizeBytes} to ${now.sizeBytes} bytes`)
  if (now.modifiedNs !== before.modifiedNs) throw changed('was written to')
}

const changed = (how: string) => new GrabberError('SRC_CHANGED', `the file ${how} while it was read`)

function unreadable(path: string, cause: unknown): unknown {
  const code = errnoOf(cause)
  if (code === undefined) return cause
  // It was there a moment ago.
  if (code === 'ENOENT') return new GrabberError('SRC_NOT_FOUND', 'the file does not exist', { cause })
  return new GrabberError('SRC_UNREADABLE', `the file cannot be read (${code})`, {
    cause,
    context: { path },
    remedy: 'check its permissions and the disk',
  })
}
