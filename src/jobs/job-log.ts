/**
 * What is said of a job while it is worked on: to the store, and to whoever looks at its progress. Runs in the command that works on
 * it. A job of a recording that turns out to be finished is not begun: its history does not grow by being looked at.
 */
import type { GrabberError } from '../../core/errors.ts'
import { type JobStore, jobId } from '../store/jobs.ts'
import { hasEnded, type JobIdentity, type JobState } from './job.ts'

/** Progress is written to the store so often at most: it is for those who ask now and then. */
const PROGRESS_MS = 1000

export interface JobLogOptions {
  jobs: JobStore
  identity: JobIdentity
  /** Fingerprint. */
  settings: string
  sizeBytes: number
  onProgress(share: number): void
}

export class JobLog {
  readonly #options: JobLogOptions
  #id: string | undefined
  #state: JobState | undefined
  #writtenMs = Number.NEGATIVE_INFINITY

  constructor(options: JobLogOptions) {
    this.#options = options
  }

  get sizeBytes(): number {
    return this.#options.sizeBytes
  }

  /** It waits; unless it is known to be done with these settings, which will be seen when its turn comes. */
  queue(): void {
    const { jobs, identity, settings } = this.#options
    const before = jobs.find(jobId(identity))
    if (before?.state !== 'done' || before.settings !== settings) this.#begin()
  }

  move(
    state: JobState,
    detail: string,
    more: { contentHash?: string; result?: string; error?: GrabberError } = {},
  ): void {
    this.#options.jobs.move(this.#id ?? this.#begin(), state, { detail, ...more })
    this.#state = state
  }

  note(detail: string): void {
    if (this.#id !== undefined) this.#options.jobs.note(this.#id, detail)
  }

  skip(reason: string, result: string): void {
    if (this.#id !== undefined) this.move('done', reason, { result })
  }

  /** The end that is not the good one; nothing where it has ended or was not begun. */
  end(state: 'failed' | 'cancelled', detail: string, error?: GrabberError): void {
    if (state === 'failed' && this.#id === undefined) this.#begin()
    if (this.#id !== undefined && !hasEnded(this.#state ?? 'queued')) this.move(state, detail, error ? { error } : {})
  }

  progress(share: number): void {
    const { jobs, onProgress } = this.#options
    onProgress(share)
    const nowMs = performance.now()
    if (this.#id === undefined || nowMs - this.#writtenMs < PROGRESS_MS) return
    this.#writtenMs = nowMs
    jobs.progress(this.#id, share)
  }

  #begin(): string {
    const { jobs, identity, settings } = this.#options
    this.#id = jobs.begin(identity, settings).id
    this.#state = 'queued'
    return this.#id
  }
}
