/**
 * A job's way through its states, written down as it goes: what is done, and how it ended. Runs in the command that does the work.
 * Must never be what the work depends on: where nothing can be written down, the work is done all the same and the log says so.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, systemClock } from '../../core/clock.ts'
import { GrabberError, toGrabberError } from '../../core/errors.ts'
import type { Logger } from '../../core/ports.ts'
import { JobStore } from '../store/jobs.ts'
import type { JobIdentity, JobState } from './job.ts'

/** Between two writes of the progress, ms. */
const PROGRESS_MS = 1000

export interface RecordedJobOptions {
  dataFolder: string
  identity: JobIdentity
  /** Fingerprint of the settings. */
  settings: string
  logger: Logger
  signal: AbortSignal
  clock?: Clock
}

export interface JobPen {
  /** To the next state; `detail` says what is known then. */
  move(state: Exclude<JobState, 'queued' | 'failed' | 'cancelled'>, detail: string, contentHash?: string): void
  note(detail: string): void
  /** 0–1; most of them are not written. */
  progress(share: number): void
}

/** Does `work`; what it throws is written down as `failed`, an interruption as `cancelled`. STO_LOCKED: somebody else does it. */
export async function recordedJob<T>(options: RecordedJobOptions, work: (pen: JobPen) => Promise<T>): Promise<T> {
  const { identity, settings, signal, clock = systemClock } = options
  using store = openStore(options)
  if (!store) return work({ move: () => undefined, note: () => undefined, progress: () => undefined })
  const { id } = store.begin(identity, settings)
  let writtenMs = Number.NEGATIVE_INFINITY
  try {
    return await work({
      move: (state, detail, contentHash) =>
        store.move(id, state, { detail, ...(contentHash === undefined ? {} : { contentHash }) }),
      note: (detail) => store.note(id, detail),
      progress(share) {
        if (clock.monotonicMs() - writtenMs < PROGRESS_MS) return
        writtenMs = clock.monotonicMs()
        store.progress(id, share)
      },
    })
  } catch (error) {
    if (signal.aborted) store.move(id, 'cancelled', { detail: 'interrupted' })
    else {
      const coded = toGrabberError(error)
      store.move(id, 'failed', { detail: coded.message, error: coded })
    }
    throw error
  }
}

function openStore({ dataFolder, logger, clock = systemClock }: RecordedJobOptions): JobStore | undefined {
  try {
    mkdirSync(dataFolder, { recursive: true, mode: 0o700 })
    return JobStore.open(join(dataFolder, 'jobs.db'), clock)
  } catch (error) {
    if (!(error instanceof GrabberError) && !(error instanceof Error && 'code' in error)) throw error
    const { code, message } = toGrabberError(error)
    logger.warn({ code }, `the job is not written down: ${message}`)
    return undefined
  }
}
