/**
 * Jobs on recorded files and their history, in data/jobs.db. A database of its own: data/ has one owner, and jobs are run by
 * commands beside it, several at a time. Runs in commands, and in the daemon to read. Must never be what a result depends
 * on: what is finished is told by the output folder itself.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, systemClock } from '../../core/clock.ts'
import type { ErrorCode } from '../../core/error-table.ts'
import { GrabberError } from '../../core/errors.ts'
import {
  hasEnded,
  type Job,
  type JobDetails,
  type JobFilter,
  type JobIdentity,
  type JobRecords,
  type JobState,
  type JobStep,
  nextStates,
} from '../jobs/job.ts'
import { jobMigrations } from './job-migrations.ts'
import { identify, lives } from './process-identity.ts'
import { openStore, type Query, type Store } from './sqlite.ts'

/** Several commands write at the same time, each for well below a millisecond; a loaded disk is what takes longer. */
const BUSY_TIMEOUT_MS = 10_000
/** A daemon's loop stands still meanwhile: a writer holds the file for well below a millisecond. */
const READER_TIMEOUT_MS = 200
/** Ended jobs that are remembered; the oldest go first. A batch of a large archive is a few thousand. */
const KEPT_JOBS = 10_000
/** Lines of history that are kept of one job: a file that `watch` tries again each night for years. */
const KEPT_STEPS = 200

interface JobRow {
  turn: number
  id: string
  kind: Job['kind']
  input: string
  output: string
  state: JobState
  progress: number
  attempts: number
  content_hash: string | null
  result: string | null
  settings: string
  error_code: ErrorCode | null
  error_message: string | null
  created_ms: number
  started_ms: number | null
  finished_ms: number | null
  runner_pid: number | null
  runner_start: string | null
}

/** What is told of a change of state. */
export interface JobChange {
  detail: string
  contentHash?: string
  /** Absolute path. */
  result?: string
  error?: GrabberError
}

export class JobStore implements JobRecords, Disposable {
  readonly #store: Store
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #self = identify(process.pid) ?? { pid: process.pid, startTime: null }
  readonly #one: Query<JobRow>
  readonly #newest: Query<JobRow>
  readonly #ofState: Query<JobRow>
  readonly #unended: Query<JobRow>
  readonly #steps: Query<{ at_ms: number; attempt: number; state: JobState; detail: string }>
  readonly #begin: Query
  readonly #change: Query
  readonly #progress: Query
  readonly #note: Query
  readonly #forgetSteps: Query
  readonly #forgetJobs: Query

  private constructor(store: Store, clock: Pick<Clock, 'nowMs'>) {
    this.#store = store
    this.#clock = clock
    this.#one = store.prepare('SELECT * FROM jobs WHERE id = ?')
    this.#newest = store.prepare('SELECT * FROM jobs ORDER BY turn DESC LIMIT ?')
    this.#ofState = store.prepare('SELECT * FROM jobs WHERE state = ? ORDER BY turn DESC LIMIT ?')
    this.#unended = store.prepare('SELECT * FROM jobs WHERE runner_pid IS NOT NULL ORDER BY turn')
    this.#steps = store.prepare('SELECT at_ms, attempt, state, detail FROM job_history WHERE job = ? ORDER BY number')
    this.#begin = store.prepare(
      `INSERT INTO jobs (turn, id, kind, input, output, state, progress, attempts, settings, created_ms, runner_pid, runner_start)
       VALUES ((SELECT COALESCE(MAX(turn), 0) + 1 FROM jobs), ?1, ?2, ?3, ?4, 'queued', 0, 1, ?5, ?6, ?7, ?8)
       ON CONFLICT (id) DO UPDATE SET turn = excluded.turn, state = 'queued', progress = 0, attempts = attempts + 1,
         settings = ?5, error_code = NULL, error_message = NULL, started_ms = NULL, finished_ms = NULL,
         runner_pid = ?7, runner_start = ?8`,
    )
    this.#change = store.prepare(
      `UPDATE jobs SET state = ?2, content_hash = COALESCE(?3, content_hash), error_code = ?4, error_message = ?5,
         progress = ?6, started_ms = ?7, finished_ms = ?8, result = COALESCE(?9, result),
         runner_pid = CASE WHEN ?8 IS NULL THEN runner_pid END, runner_start = CASE WHEN ?8 IS NULL THEN runner_start END
       WHERE id = ?1`,
    )
    this.#progress = store.prepare('UPDATE jobs SET progress = ?2 WHERE id = ?1')
    this.#note = store.prepare('INSERT INTO job_history (job, at_ms, attempt, state, detail) VALUES (?, ?, ?, ?, ?)')
    this.#forgetSteps = store.prepare(
      `DELETE FROM job_history WHERE job = ?1 AND number <=
         (SELECT number FROM job_history WHERE job = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)`,
    )
    this.#forgetJobs = store.prepare(
      `DELETE FROM jobs WHERE runner_pid IS NULL AND turn <=
         (SELECT turn FROM jobs ORDER BY turn DESC LIMIT 1 OFFSET ?1)`,
    )
  }

  /** Makes or upgrades the file; its folder must exist. Jobs whose process was killed are cancelled. STO_UNUSABLE, STO_VERSION. */
  static open(path: string, clock: Pick<Clock, 'nowMs'>, busyTimeoutMs = BUSY_TIMEOUT_MS): JobStore {
    const store = openStore(path, jobMigrations, { busyTimeoutMs })
    try {
      const jobs = new JobStore(store, clock)
      jobs.#cancelOrphans()
      return jobs
    } catch (error) {
      store.close()
      throw error
    }
  }

  /**
   * A new attempt of the job, in the state `queued`; this process is its runner. STO_LOCKED when another process that lives
   * works on it.
   */
  begin(identity: JobIdentity, settings: string, detail = ''): Job {
    const { kind, input, output } = identity
    const id = jobId(identity)
    return this.#store.transaction('write', () => {
      const before = this.#one.get(id)
      if (before && !hasEnded(before.state)) {
        if (!isOrphan(before) && before.runner_pid !== this.#self.pid)
          throw new GrabberError('STO_LOCKED', `process ${before.runner_pid} works on ${input}`, {
            remedy: 'wait until it is done, or stop it first',
          })
        this.#apply(before, 'cancelled', orphaned(before))
      }
      const nowMs = this.#clock.nowMs()
      this.#begin.run(id, kind, input, output, settings, nowMs, this.#self.pid, this.#self.startTime)
      const job = this.#row(id)
      this.#note.run(id, nowMs, job.attempts, 'queued', detail)
      this.#forgetSteps.run(id, KEPT_STEPS)
      this.#forgetJobs.run(KEPT_JOBS)
      return jobOf(job)
    })
  }

  /** To the next state. ACT_DEFECT where it does not follow from the present one. */
  move(id: string, state: JobState, change: JobChange): void {
    this.#store.transaction('write', () => this.#apply(this.#row(id), state, change))
  }

  /** Says something of a job without a change of its state. */
  note(id: string, detail: string): void {
    this.#store.transaction('write', () => {
      const { attempts, state } = this.#row(id)
      this.#note.run(id, this.#clock.nowMs(), attempts, state, detail)
    })
  }

  /** 0–1. Costs a write: the caller says it rarely. */
  progress(id: string, share: number): void {
    this.#progress.run(id, Math.max(0, Math.min(1, share)))
  }

  list({ state, limit }: JobFilter): Job[] {
    return (state === undefined ? this.#newest.all(limit) : this.#ofState.all(state, limit)).map(jobOf)
  }

  find(id: string): JobDetails | undefined {
    return this.#store.transaction('read', () => {
      const row = this.#one.get(id)
      if (!row) return undefined
      const history: JobStep[] = this.#steps
        .all(id)
        .map(({ at_ms, attempt, state, detail }) => ({ atMs: at_ms, attempt, state, detail }))
      return { ...jobOf(row), history }
    })
  }

  close(): void {
    this.#store.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #cancelOrphans(): void {
    if (!this.#unended.all().some(isOrphan)) return
    this.#store.transaction('write', () => {
      for (const row of this.#unended.all()) if (isOrphan(row)) this.#apply(row, 'cancelled', orphaned(row))
    })
  }

  #row(id: string): JobRow {
    const row = this.#one.get(id)
    if (!row) throw new GrabberError('API_NOT_FOUND', `there is no job ${id}`)
    return row
  }

  #apply(row: JobRow, state: JobState, { detail, contentHash, result, error }: JobChange): void {
    if (!nextStates[row.state].includes(state)) throw new Error(`a job does not go from ${row.state} to ${state}`)
    const nowMs = this.#clock.nowMs()
    const progress = state === 'done' ? 1 : row.progress
    const finished = hasEnded(state) ? nowMs : null
    this.#change.run(
      ...[row.id, state, contentHash ?? null, error?.code ?? null, error?.message ?? null],
      ...[progress, row.started_ms ?? (state === 'cancelled' ? null : nowMs), finished, result ?? null],
    )
    this.#note.run(row.id, nowMs, row.attempts, state, detail)
  }
}

/** Where the jobs of a data folder are. */
export const jobsPath = (dataFolder: string): string => join(dataFolder, 'jobs.db')

/**
 * What `read` finds in the jobs of a data folder, opened for it and closed again: they are asked for now and then, and a file that
 * somebody took away is missed at once. `undefined` where there never was a job. STO_*.
 */
export function readJobs<T>(dataFolder: string, read: (records: JobRecords) => T): T | undefined {
  const path = jobsPath(dataFolder)
  if (!existsSync(path)) return undefined
  using jobs = JobStore.open(path, systemClock, READER_TIMEOUT_MS)
  return read(jobs)
}

/** The same for the same work, on every machine. */
export function jobId({ kind, input, output }: JobIdentity): string {
  return createHash('sha256').update([kind, input, output].join('\0')).digest('hex').slice(0, 12)
}

function isOrphan({ state, runner_pid: pid, runner_start: startTime }: JobRow): boolean {
  return !hasEnded(state) && (pid === null || !lives({ pid, startTime }))
}

function orphaned({ state }: JobRow): JobChange & { error: GrabberError } {
  const message = `its process ended while it was ${state}`
  const remedy = 'give the same command again: it continues'
  return { detail: message, error: new GrabberError('ACT_STOPPED', message, { remedy }) }
}

function jobOf(row: JobRow): Job {
  const { id, kind, input, output, state, progress, attempts, settings, error_code: code } = row
  return {
    ...{ id, kind, input, output, state, progress, attempts, settings },
    contentHash: row.content_hash,
    result: row.result,
    error: code === null ? null : { code, message: row.error_message ?? '' },
    createdAtMs: row.created_ms,
    startedAtMs: row.started_ms,
    finishedAtMs: row.finished_ms,
  }
}
