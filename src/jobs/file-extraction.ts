/**
 * The extraction of one recording, from its bytes to a result under its name: hash, preflight, selection, export, rename. Runs in
 * the command that works on recordings. Owns the order of these and what remains when one of them does not end well: an
 * unfinished result that is gone on from, or nothing.
 */
import { rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { ExtractJob } from '../../actors/extract-job.ts'
import { probeRecording } from '../../actors/probe-job.ts'
import { GrabberError } from '../../core/errors.ts'
import { addLedgers } from '../../core/ledger.ts'
import type { PreflightReport } from '../../core/wire/preflight.ts'
import type { StreamInfo } from '../../core/wire/stream-info.ts'
import { extractionSpec } from '../keyframe-spec.ts'
import { cameraIdOf } from '../recordings.ts'
import { writeExtraction } from './extraction-export.ts'
import type { ExtractionTools } from './extraction-tools.ts'
import { type FileReport, rounded } from './file-report.ts'
import { countPictures } from './finished-result.ts'
import type { JobLog } from './job-log.ts'
import { type JournalEnd, mediaMs } from './journal.ts'
import { PartFolder, partName } from './part-folder.ts'
import { judgePreflight } from './preflight.ts'
import { checkUnchanged, hashRecording, type SteadyRecording } from './steady-recording.ts'

/** Shares of the whole that its phases have, as far as progress is concerned. */
const HASHED = 0.03
const LOOKED = 0.05
const SELECTED = 0.9
const CHOSEN = 0.98

export class FileExtraction {
  readonly #tools: ExtractionTools
  readonly #path: string
  readonly #log: JobLog
  readonly #signal: AbortSignal
  readonly #startedAtMs = Date.now()
  readonly #startedMs = performance.now()

  constructor(tools: ExtractionTools, path: string, log: JobLog, signal: AbortSignal) {
    this.#tools = tools
    this.#path = path
    this.#log = log
    this.#signal = signal
  }

  /** SRC_*, DEC_* of the recording; STO_*, ENG_*, ACT_*; the reason of the signal. */
  async run(): Promise<FileReport> {
    const recording = await this.#hash()
    const { root, fingerprint, resume, isShared } = this.#tools
    const { contentHash } = recording
    const { name, finished, sameAs } = await root.place(this.#path, contentHash, isShared(this.#path))
    const result = join(root.path, name)
    if (sameAs !== undefined) return this.#skipped(result, `the same recording as ${sameAs}`)
    if (finished?.settings === fingerprint && resume) {
      // What a process left that was killed in the last moment.
      await rm(join(root.path, partName(name)), { recursive: true, force: true })
      return this.#skipped(result, 'finished before')
    }
    this.#log.move('preflight', `${recording.identity.sizeBytes} bytes`, { contentHash })
    const preflight = await this.#look()
    await using part = await PartFolder.open(
      root.path,
      name,
      { version: this.#tools.version, contentHash, settings: fingerprint },
      !resume,
    )
    try {
      return await this.#extract(part, recording, preflight)
    } catch (error) {
      // The recording is why: what was made of it is of no use.
      if (error instanceof GrabberError && /^(SRC|DEC)_/.test(error.code)) await part.discard()
      throw error
    }
  }

  async #hash(): Promise<SteadyRecording> {
    let bytes = 0
    return hashRecording(this.#path, this.#signal, (read) => {
      bytes += read
      this.#log.progress(HASHED * Math.min(1, bytes / Math.max(1, this.#log.sizeBytes)))
    })
  }

  async #look(): Promise<PreflightReport> {
    const { config, settings, host } = this.#tools
    this.#log.progress(HASHED)
    const openTimeoutMs = config.timeouts.openMs
    const report = await probeRecording({ path: this.#path, host, signal: this.#signal, openTimeoutMs })
    const refusal = judgePreflight(report, config.jobs.limits, settings)
    if (refusal) throw refusal
    return report
  }

  async #extract(part: PartFolder, recording: SteadyRecording, preflight: PreflightReport): Promise<FileReport> {
    const resumedAt = part.content.mark?.checkpoint.selection?.ptsMs
    const remark = resumedAt === undefined ? 'from the beginning' : `goes on at ${(resumedAt / 1000).toFixed(1)} s`
    this.#log.move('running', part.content.end ? 'selected before' : remark)
    const end = part.content.end ?? (await this.#select(part, recording, preflight))
    const { totals, damage, restarts } = end.outcome
    this.#log.progress(SELECTED)
    this.#log.move('exporting', `${end.outcome.totals.ledger.captured} frames looked at`)
    const keyframes = await writeExtraction({
      ...{ part, recording, preflight, end, tools: this.#tools, startedAtMs: this.#startedAtMs },
      signal: this.#signal,
      onProgress: (ratio) => this.#log.progress(SELECTED + (CHOSEN - SELECTED) * ratio),
    })
    await checkUnchanged(recording)
    await part.publish()
    this.#log.move('done', `${keyframes} keyframes of ${totals.ledger.captured} frames`, { result: part.target })
    const durationSeconds = rounded(mediaMs(end) / 1000)
    const seconds = (part.content.end?.seconds ?? part.content.mark?.seconds ?? 0) + this.#elapsed()
    return {
      ...{ file: this.#path, outcome: 'done', result: part.target, frames: totals.ledger.captured, keyframes },
      ...{ durationSeconds, wallSeconds: rounded(seconds), realtimeFactor: rounded(durationSeconds / seconds) },
      ...(resumedAt === undefined ? {} : { resumedAtSeconds: rounded(resumedAt / 1000) }),
      ...(damage.count > 0 ? { damaged: damage.count } : {}),
      ...(restarts > 0 ? { restarts } : {}),
    }
  }

  /** Decides about every frame; it is in the journal when it returns. */
  async #select(part: PartFolder, recording: SteadyRecording, preflight: PreflightReport): Promise<JournalEnd> {
    const { config, settings, host, directory, logger } = this.#tools
    const { journal, content } = part
    const name = cameraIdOf(this.#path)
    const before = content.mark
    const spent = () => (before?.seconds ?? 0) + this.#elapsed()
    const job = new ExtractJob({
      name: `extract:${name}`,
      spec: extractionSpec(config, {
        ...{ name, path: this.#path, epoch: recording.contentHash.slice(0, 12) },
        ...{ keyframes: settings.keyframes, featuresModel: settings.featuresModel, tonemap: settings.tonemap },
        imagesDir: part.images,
      }),
      ...{ directory, host, from: before?.checkpoint ?? null },
      onRecords: (records) => journal.append(records),
      onCheckpoint: (checkpoint, totals) => {
        // That at the end of the pass leaves nothing to go on with: the end is said when the host has said it.
        if (checkpoint.selection) journal.mark({ checkpoint, totals: sum(before?.totals, totals), seconds: spent() })
      },
      onProgress: (ptsMs, stream) => this.#tellProgress(ptsMs, stream, preflight),
      onRestart: (error, attempt) => {
        logger.warn({ file: basename(this.#path), code: error.code, attempt }, error.message)
        this.#log.note(`its process was replaced (${error.code})`)
      },
    })
    const stop = () => void job.stop()
    this.#signal.addEventListener('abort', stop, { once: true })
    try {
      this.#signal.throwIfAborted()
      const outcome = await job.run()
      if (outcome.reason === 'stopped') this.#signal.throwIfAborted()
      await checkUnchanged(recording)
      const end = { outcome: { ...outcome, totals: sum(before?.totals, outcome.totals) }, seconds: spent() }
      journal.end(end)
      return end
    } catch (error) {
      this.#signal.throwIfAborted()
      // A file that was cut off or written over while it was read is damaged as well, but that is not what happened.
      if (error instanceof GrabberError && /^(SRC|DEC)_/.test(error.code)) await checkUnchanged(recording)
      throw error
    } finally {
      this.#signal.removeEventListener('abort', stop)
    }
  }

  #tellProgress(ptsMs: number | null, { durationMs }: StreamInfo, preflight: PreflightReport): void {
    const wholeMs = durationMs ?? preflight.stream.durationMs
    if (ptsMs === null || wholeMs === null || wholeMs === 0) return
    this.#log.progress(LOOKED + (SELECTED - LOOKED) * Math.min(1, ptsMs / wholeMs))
  }

  async #skipped(result: string, reason: string): Promise<FileReport> {
    this.#log.skip(reason, result)
    return { file: this.#path, outcome: 'skipped', result, reason, keyframes: await countPictures(result) }
  }

  #elapsed(): number {
    return (performance.now() - this.#startedMs) / 1000
  }
}

type Totals = JournalEnd['outcome']['totals']

function sum(before: Totals | undefined, now: Totals): Totals {
  if (!before) return now
  return {
    ledger: addLedgers(before.ledger, now.ledger),
    faces: before.faces + now.faces,
    tracks: before.tracks + now.tracks,
    lastPtsMs: Math.max(before.lastPtsMs, now.lastPtsMs),
  }
}
