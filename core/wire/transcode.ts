/**
 * The words between a job and the process that runs ffmpeg for it. Carried by Node's IPC; a process serves one job and is not
 * restarted, so that the ids of the questions are fence enough.
 */
import type { CodedError } from '../errors.ts'

export interface FfmpegInput {
  path: string
  /** Options that stand before its `-i`. */
  options: readonly string[]
}

/** One run of ffmpeg. */
export interface FfmpegTask {
  /** A few words for logs and errors: what it is for. */
  purpose: string
  inputs: readonly FfmpegInput[]
  /** `-filter_complex`; `null` without. */
  graph: string | null
  /** Options of the output. */
  options: readonly string[]
  /** File that is written (overwritten), or `-` with `-f null`. */
  target: string
}

export type ToTranscoder =
  | { type: 'run'; id: number; task: FfmpegTask }
  /** ffprobe's view of a file: format, streams and their side data. */
  | { type: 'probe'; id: number; path: string }
  /** Kill what runs, exit 0. */
  | { type: 'stop' }

export type FromTranscoder =
  | { type: 'hello'; pid: number }
  /** The ffmpeg that runs now: if its host is killed, somebody has to end it. `null`: it has ended. */
  | { type: 'child'; pid: number | null }
  /** Media time that is done, ms. */
  | { type: 'progress'; id: number; doneMs: number }
  /** The last lines that ffmpeg wrote on stderr, oldest first. */
  | { type: 'ran'; id: number; log: string[] }
  /** ffprobe's JSON, parsed and unchecked. */
  | { type: 'probed'; id: number; answer: unknown }
  | { type: 'failed'; id: number; error: CodedError }
