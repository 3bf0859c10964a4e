/**
 * From a journal that says all to the files of a result: the keyframes that stay, metadata, report, exports. Runs in the command
 * that works on recordings. Can be done again from the start as often as it is cut off.
 */
import { basename } from 'node:path'
import { figuresOf } from '../../config/keyframe-schema.ts'
import type { PreflightReport } from '../../core/wire/preflight.ts'
import { keyframeSpec } from '../keyframe-spec.ts'
import { writeResult } from '../results/write-result.ts'
import type { ExtractionTools } from './extraction-tools.ts'
import { rounded } from './file-report.ts'
import { finalKeyframes } from './final-keyframes.ts'
import { type JournalEnd, mediaMs } from './journal.ts'
import type { PartFolder } from './part-folder.ts'
import type { SteadyRecording } from './steady-recording.ts'

export interface ExtractionExport {
  part: PartFolder
  recording: SteadyRecording
  preflight: PreflightReport
  end: JournalEnd
  tools: ExtractionTools
  startedAtMs: number
  signal: AbortSignal
  /** Of choosing which keyframes stay, 0–1. */
  onProgress(ratio: number): void
}

/** The number of keyframes. STO_OUTPUT, STO_FULL. */
export async function writeExtraction(given: ExtractionExport): Promise<number> {
  const { part, recording, preflight, end, tools, startedAtMs, signal, onProgress } = given
  const { settings, fingerprint, version } = tools
  const { outcome, seconds } = end
  const { candidateFps, width } = figuresOf(settings.keyframes)
  const begunMs = performance.now()
  const { keyframes, records, shots, secondPass } = await finalKeyframes({ part, tools, signal, onProgress })
  const wallSeconds = seconds + (performance.now() - begunMs) / 1000
  const { mode, imagesDir: _, ...figures } = keyframeSpec(settings.keyframes, settings.featuresModel, null)
  await writeResult(
    part.path,
    {
      source: {
        file: basename(recording.path),
        sizeBytes: recording.identity.sizeBytes,
        contentHash: recording.contentHash,
        recordedAtMs: outcome.stream.recordedAtMs,
        stream: outcome.stream,
        preflight,
      },
      settings: {
        ...{ mode, maxFrames: settings.maxFrames, tonemap: settings.tonemap, fingerprint, figures },
        candidates: { fps: candidateFps, widthPx: width },
      },
      version,
      records,
      keyframes,
      shots,
      ...(secondPass && { secondPass }),
      summary: { frames: outcome.totals.ledger, durationMs: mediaMs(end), damage: outcome.damage },
      run: {
        startedAtMs,
        wallSeconds: rounded(wallSeconds),
        realtimeFactor: rounded(mediaMs(end) / 1000 / wallSeconds),
        ...{ stages: outcome.stages, peakRssBytes: outcome.peakRssBytes, restarts: outcome.restarts },
      },
    },
    { exports: settings.exports, finalFolder: part.target, copyPictures: tools.copyPictures },
  )
  return keyframes.length
}
