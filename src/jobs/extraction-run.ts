/**
 * The extractions of one command: which recordings, a few at a time, and what became of each. Runs in the command. One bad
 * recording is a line of the report; what is wrong with the place that results go to, or with the engine, ends all of it.
 */
import { stat } from 'node:fs/promises'
import { GrabberError, toGrabberError } from '../../core/errors.ts'
import { BatchProgress, type ProgressReport } from './batch-progress.ts'
import type { ExtractionTools } from './extraction-tools.ts'
import { FileExtraction } from './file-extraction.ts'
import type { FileReport } from './file-report.ts'
import { JobLog } from './job-log.ts'
import { JobQueue } from './queue.ts'

export interface ExtractionRunOptions {
  tools: ExtractionTools
  parallel: number
  /** Aborted: what is under way stops where it can be gone on from. */
  signal: AbortSignal
  onReport(report: FileReport): void
  onProgress(progress: ProgressReport): void
}

interface Item {
  path: string
  log: JobLog
}

export class ExtractionRun {
  readonly #options: ExtractionRunOptions
  readonly #queue: JobQueue<Item>
  readonly #progress = new BatchProgress(() => performance.now())
  /** The last of each recording, in the order in which they came. */
  readonly #reports = new Map<string, FileReport | undefined>()
  readonly #active = new Set<string>()
  /** Those that changed while they were worked on. */
  readonly #again = new Set<string>()
  readonly #stop = new AbortController()

  constructor(options: ExtractionRunOptions) {
    this.#options = options
    const { parallel, signal } = options
    const both = AbortSignal.any([signal, this.#stop.signal])
    this.#queue = new JobQueue({ parallel, signal: both, work: (item) => this.#work(item, both) })
  }

  /** Once more if it is under way, once if it waits. STO_*. */
  async add(path: string): Promise<void> {
    if (this.#queue.waiting.some((item) => item.path === path)) return
    if (this.#active.has(path)) {
      this.#again.add(path)
      return
    }
    const { tools } = this.#options
    const { size } = await stat(path).catch(() => ({ size: 0 }))
    const log = new JobLog({
      jobs: tools.jobs,
      identity: { kind: 'extract', input: path, output: tools.root.path },
      settings: tools.fingerprint,
      sizeBytes: size,
      onProgress: (share) => {
        this.#progress.update(path, share)
        this.#tell()
      },
    })
    log.queue()
    if (!this.#reports.has(path)) this.#reports.set(path, undefined)
    this.#progress.add(path, size)
    this.#queue.add({ path, log })
  }

  /**
   * Resolves when all that was added has ended, or the signal was aborted and what was under way has stopped. Rejects with
   * STO_*, ENG_* that make it useless to go on, when everything has stopped.
   */
  async ended(): Promise<void> {
    try {
      await this.#queue.idle()
    } finally {
      for (const { path, log } of this.#queue.waiting) {
        log.end('cancelled', 'not begun')
        this.#report({ file: path, outcome: 'interrupted', reason: 'not begun' })
      }
    }
  }

  /** Aborted when it is of no use to go on. */
  get broken(): AbortSignal {
    return this.#stop.signal
  }

  get reports(): FileReport[] {
    return [...this.#reports.values()].filter((report) => report !== undefined)
  }

  async #work({ path, log }: Item, signal: AbortSignal): Promise<void> {
    this.#active.add(path)
    try {
      this.#report(await new FileExtraction(this.#options.tools, path, log, signal).run())
    } catch (error) {
      this.#fail(path, log, error, signal)
    } finally {
      this.#active.delete(path)
    }
    if (this.#again.delete(path)) await this.add(path)
  }

  /** Throws what is not this recording's own fault. */
  #fail(path: string, log: JobLog, error: unknown, signal: AbortSignal): void {
    if (signal.aborted && (error === signal.reason || !(error instanceof GrabberError && isFatal(error)))) {
      log.end('cancelled', 'stopped; the same command goes on')
      this.#report({ file: path, outcome: 'interrupted', reason: 'stopped; the same command goes on' })
      return
    }
    const coded = toGrabberError(error)
    log.end('failed', coded.line, coded)
    this.#report({ file: path, outcome: 'failed', error: coded.toJSON() })
    if (!isFatal(coded)) return
    this.#stop.abort(coded)
    throw coded
  }

  #report(report: FileReport): void {
    this.#reports.set(report.file, report)
    this.#progress.end(report.file, report.outcome === 'skipped')
    this.#options.onReport(report)
    this.#tell()
  }

  #tell(): void {
    this.#options.onProgress(this.#progress.report())
  }
}

/** Another recording would fail by the same. A defect is reported as one. */
function isFatal({ code }: GrabberError): boolean {
  return /^(STO|ENG|MDL|CFG)_/.test(code) || code === 'ACT_DEFECT'
}
