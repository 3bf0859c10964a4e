/**
 * A job on a recorded file: what it is, which states it may be in, and what is remembered of it. Plain data. Runs in commands,
 * which do the work, and in the daemon, which shows it.
 */
import type { ErrorCode } from '../../core/error-table.ts'

export const jobKinds = ['extract', 'clip', 'optimise'] as const
export type JobKind = (typeof jobKinds)[number]

/** In the order in which a job that goes well passes through them; the last two are the other ends. */
export const jobStates = ['queued', 'preflight', 'running', 'exporting', 'done', 'failed', 'cancelled'] as const
export type JobState = (typeof jobStates)[number]

/** From a state to the states that may follow. A job that has ended is queued again when the same command is given again. */
export const nextStates: Readonly<Record<JobState, readonly JobState[]>> = {
  queued: ['preflight', 'running', 'done', 'failed', 'cancelled'],
  preflight: ['running', 'exporting', 'failed', 'cancelled'],
  running: ['exporting', 'failed', 'cancelled'],
  exporting: ['done', 'failed', 'cancelled'],
  done: ['queued'],
  failed: ['queued'],
  cancelled: ['queued'],
}

export const hasEnded = (state: JobState): boolean => nextStates[state].includes('queued')

/** What makes two jobs one: the same work on the same file to the same place. */
export interface JobIdentity {
  kind: JobKind
  /** Absolute path of the recording. */
  input: string
  /** Absolute path of where results go: a folder for many of them, or a file. */
  output: string
}

export interface Job extends JobIdentity {
  /** 12 hex digits made of the identity. */
  id: string
  state: JobState
  /** Of the present attempt, 0–1. */
  progress: number
  /** Times that it was begun. */
  attempts: number
  /** SHA-256 of the file's bytes, hex; `null` while it is not known. */
  contentHash: string | null
  /** Absolute path of its result, once it is known what that will be called. */
  result: string | null
  /** Fingerprint of the settings that it was last begun with. */
  settings: string
  error: { code: ErrorCode; message: string } | null
  /** ms since the epoch. */
  createdAtMs: number
  startedAtMs: number | null
  finishedAtMs: number | null
}

/** A line of a job's processing history: what happened when. */
export interface JobStep {
  atMs: number
  attempt: number
  state: JobState
  /** A few words with numbers, for a person. */
  detail: string
}

export interface JobDetails extends Job {
  /** Oldest first. */
  history: JobStep[]
}

export interface JobFilter {
  state?: JobState
  /** Most rows; the newest come first. */
  limit: number
}

/** What was worked on, for those who only look. STO_*. */
export interface JobRecords {
  list(filter: JobFilter): Job[]
  /** `undefined` when there is no such job. */
  find(id: string): JobDetails | undefined
}
