/**
 * From a journal that says all to the files of a result: keyframes thinned to what was asked for, metadata, report, exports. Runs in
 * the command that works on recordings. Can be done again from the start as often as it is cut off: what it leaves out is said in
 * the journal before a picture goes.
 */
import { basename } from 'node:path'
import { figuresOf } from '../../config/keyframe-schema.ts'
import type { KeyframeRecord } from '../../core/keyframe.ts'
import type { PreflightReport } from '../../core/wire/preflight.ts'
import { keyframeSpec } from '../keyframe-spec.ts'
import { writeResult } from '../results/write-result.ts'
import type { ExtractionTools } from './extraction-tools.ts'
import { rounded } from './file-report.ts'
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
}

/** The number of keyframes. STO_OUTPUT, STO_FULL. */
export async function writeExtraction(given: ExtractionExport): Promise<number> {
  const { part, recording, preflight, end, tools, startedAtMs } = given
  const { settings, fingerprint, version } = tools
  const { outcome, seconds } = end
  const keyframes = await chosen(part)
  const { candidateFps, width } = figuresOf(settings.keyframes)
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
      records: part.journal.records(),
      keyframes,
      summary: { frames: outcome.totals.ledger, durationMs: mediaMs(end), damage: outcome.damage },
      run: {
        startedAtMs,
        wallSeconds: seconds,
        realtimeFactor: rounded(mediaMs(end) / 1000 / seconds),
        ...{ stages: outcome.stages, peakRssBytes: outcome.peakRssBytes, restarts: outcome.restarts },
      },
    },
    { exports: settings.exports, finalFolder: part.target, copyPictures: tools.copyPictures },
  )
  return keyframes.length
}

/** In order of `seq`. */
async function chosen(part: PartFolder): Promise<KeyframeRecord[]> {
  const keyframes: KeyframeRecord[] = []
  for await (const record of part.journal.records()) if (record.chosen) keyframes.push(record as KeyframeRecord)
  return keyframes.sort((a, b) => a.seq - b.seq)
}
