/**
 * FFmpeg's status numbers as coded errors. Session host only.
 */
import { FFmpegError } from 'node-av'
import type { ErrorCode } from '../../core/error-table.ts'
import { GrabberError } from '../../core/errors.ts'

export function statusText(status: number): string {
  return FFmpegError.strerror(status)
}

/** Throws `code` when `status` is an error (negative); otherwise gives it back. */
export function expectStatus(status: number, code: ErrorCode, what: string): number {
  if (status < 0) throw new GrabberError(code, `${what}: ${statusText(status)}`)
  return status
}
