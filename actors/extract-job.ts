/**
 * An extraction: keyframes of one recording, by a session that is restarted from its last checkpoint until it ends or cannot
 * (recording-run). Runs in the daemon, or in the command that extracts. Owns which records were taken: each comes once, in
 * order, whatever dies. Sees records and names of files, never a picture.
 */
import type { FrameRecord, KeyframeRecord } from '../core/keyframe.ts'
import type { FromSession } from '../core/wire/control.ts'
import type { Checkpoint, FileSource, SessionSpec } from '../core/wire/session-spec.ts'
import { type RecordingOutcome, RecordingRun, type RecordingRunOptions, type RecordingTotals } from './recording-run.ts'

export type SelectionRecord = FrameRecord | KeyframeRecord

export interface ExtractOptions
  extends Pick<RecordingRunOptions, 'name' | 'directory' | 'host' | 'onProgress' | 'onRestart'> {
  /** With `keyframes.imagesDir`, one pass and `faces: null`. The folder is made by the session. */
  spec: SessionSpec<FileSource>
  /** Goes on behind this checkpoint, as if nothing had happened; `null` begins at the beginning. */
  from: Checkpoint | null
  /**
   * Each candidate once, in order of decision. The picture of a chosen one lies in `imagesDir` under its name by then, complete.
   * A throw ends the job with that error.
   */
  onRecords(records: readonly SelectionRecord[]): void
  /**
   * All records before it were handed over. Whoever goes on from it in another job gets every record behind it again, and must
   * forget those that it has of them. `totals`: of this job up to there. A throw ends the job with that error.
   */
  onCheckpoint?(checkpoint: Checkpoint, totals: RecordingTotals): void
}

export interface ExtractOutcome extends RecordingOutcome {
  /** Of this job: what came before `from` is not counted. */
  candidates: number
  keyframes: number
}

/** It was never opened with this: faces, galleries and people are not an extraction's business. */
const nobody = {
  search: async () => [],
  visitors: { remember: async () => null, keep: async () => undefined },
}

export class ExtractJob {
  readonly #options: ExtractOptions
  readonly #run: RecordingRun
  /** Of records since the last checkpoint: only these can come again. */
  #seen = new Set<number>()
  #candidates = 0
  #keyframes = 0

  constructor(options: ExtractOptions) {
    this.#options = options
    const { name, spec, from, directory, host, onProgress, onRestart } = options
    this.#run = new RecordingRun({
      ...{ name, spec, from, directory, host },
      ...(onProgress && { onProgress }),
      ...(onRestart && { onRestart }),
      ...nobody,
      listener: {
        onEvent: () => undefined,
        onSelection: (message) => this.#take(message),
        onCheckpoint: (checkpoint, totals) => {
          this.#orFail(() => options.onCheckpoint?.(checkpoint, totals))
          this.#seen.clear()
        },
      },
    })
  }

  /** Runs to the end, with the errors of `RecordingRun.run`; SRC_CHANGED when the recording changes while it is read. */
  async run(): Promise<ExtractOutcome> {
    const outcome = await this.#run.run()
    return { ...outcome, candidates: this.#candidates, keyframes: this.#keyframes }
  }

  /** Ends early: what is in flight is finished, nothing that is held is decided, and the outcome says `stopped`. */
  stop(): Promise<void> {
    return this.#run.stop()
  }

  inspect(): unknown {
    return this.#run.inspect()
  }

  #take({ records }: Extract<FromSession, { type: 'selection' }>): void {
    const news = records.filter(({ seq }) => !this.#seen.has(seq))
    if (news.length === 0) return
    this.#orFail(() => this.#options.onRecords(news))
    for (const { seq, chosen } of news) {
      this.#seen.add(seq)
      this.#candidates++
      if (chosen) this.#keyframes++
    }
  }

  /** Where the records go is broken, not the session: doing it again would not help. */
  #orFail(hand: () => void): void {
    try {
      hand()
    } catch (error) {
      this.#run.fail(error)
      throw error
    }
  }
}
