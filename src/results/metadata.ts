/**
 * metadata.json: everything that was measured and decided, written as it is read. Runs where the job runs.
 * Keys are in a fixed order and figures have six digits, so that two runs differ in `run` alone.
 */
import { type FrameRecord, type KeyframeRecord, qualityParts, type SelectionReason } from '../../core/keyframe.ts'
import type { ShotReport } from '../../core/shot.ts'
import type { ExtractionResult, ResultRun } from './extraction-result.ts'
import {
  METADATA_SCHEMA,
  type MetadataHead,
  type MetadataKeyframe,
  type MetadataRun,
  type MetadataSummary,
} from './metadata-schema.ts'
import { measured, measuredMs, RecordTable } from './record-table.ts'
import { ResultFile } from './result-file.ts'

/** Writes the file; `onRecord` sees each candidate as it goes by. STO_OUTPUT, STO_FULL, and what reading the records throws. */
export async function writeMetadata(
  path: string,
  result: ExtractionResult,
  onRecord: (record: FrameRecord) => void,
): Promise<MetadataSummary> {
  await using file = await ResultFile.create(path)
  await file.write(`{\n${fields(head(result))},\n"keyframes": [`)
  for (const [index, keyframe] of result.keyframes.entries())
    await file.write(`${index === 0 ? '' : ','}\n${text(keyframeEntry(keyframe))}`)

  const table = new RecordTable(qualityParts)
  const reasons = new Map<SelectionReason, number>()
  let candidates = 0
  await file.write(`\n],\n"candidates": {"columns": ${text(table.columns)}, "rows": [`)
  for await (const record of result.records) {
    await file.write(`${candidates++ === 0 ? '' : ','}\n${JSON.stringify(table.row(record))}`)
    reasons.set(record.reason, (reasons.get(record.reason) ?? 0) + 1)
    onRecord(record)
  }

  const summary = summaryOf(result, candidates, reasons)
  await file.write(`\n]},\n${fields({ summary, run: runOf(result.run) })}\n}\n`)
  await file.finish()
  return summary
}

function head({ source, settings, version, shots, secondPass }: ExtractionResult): MetadataHead {
  const { file, sizeBytes, contentHash, recordedAtMs, stream, preflight } = source
  const looked = preflight && { ...preflight, damage: { ...preflight.damage, at: [...preflight.damage.at] } }
  const { mode, maxFrames, tonemap, candidates, fingerprint, figures } = settings
  return {
    schema: METADATA_SCHEMA,
    program: { name: 'grabber', version },
    source: { file, sizeBytes, contentHash, recordedAt: isoTime(recordedAtMs), stream, preflight: looked },
    settings: { mode, maxFrames, tonemap, candidates, fingerprint, figures: { ...figures } },
    shots: (shots ?? []).map(shotEntry),
    secondPass: secondPass ? { ...secondPass, findings: rounded(secondPass.findings) } : null,
  }
}

function shotEntry({ forecast, metrics, ...shot }: ShotReport): MetadataHead['shots'][number] {
  const { complexity, low, high, confidence } = forecast ?? {}
  return {
    ...{ ...shot, fromMs: measuredMs(shot.fromMs), toMs: measuredMs(shot.toMs), metrics: rounded(metrics) },
    forecast:
      forecast === null
        ? null
        : {
            complexity: measured(complexity),
            low: measured(low),
            high: measured(high),
            confidence: measured(confidence),
          },
  }
}

function keyframeEntry(keyframe: KeyframeRecord): MetadataKeyframe {
  const { seq, ptsMs, scene, file, width, height, pixelHash, reason, evidence, score, saliency, view, links } = keyframe
  return {
    ...{ seq, ptsMs: measuredMs(ptsMs), scene, file, width, height, pixelHash, reason, evidence },
    ...{ score: measured(score.score) ?? 0, faults: [...score.faults], quality: rounded(score.parts) },
    saliency: { score: measured(saliency.score) ?? 0, parts: rounded(saliency.parts) },
    view: view && {
      flowRatio: measured(view.flowRatio),
      parallaxRatio: measured(view.parallaxRatio),
      overlapRatio: measured(view.overlapRatio),
      model: view.model,
      tracks: view.tracks,
    },
    links: links.map(([earlier, tracks]) => [earlier, tracks]),
  }
}

function summaryOf(
  { keyframes, summary }: ExtractionResult,
  candidates: number,
  reasons: ReadonlyMap<SelectionReason, number>,
): MetadataSummary {
  const { frames, durationMs, damage } = summary
  return {
    ...{ candidates, keyframes: keyframes.length, reasons: Object.fromEntries(reasons) },
    ...{ frames, durationMs: measuredMs(durationMs), damage },
  }
}

function runOf({ startedAtMs, wallSeconds, realtimeFactor, stages, peakRssBytes, restarts }: ResultRun): MetadataRun {
  const times = Object.entries(stages).map(([stage, { p50Ms, p95Ms, count, totalMs }]) => [
    stage,
    { p50Ms: measuredMs(p50Ms), p95Ms: measuredMs(p95Ms), count, totalMs: measuredMs(totalMs) },
  ])
  return {
    startedAt: new Date(startedAtMs).toISOString(),
    ...{ wallSeconds: measuredMs(wallSeconds), realtimeFactor: measuredMs(realtimeFactor) },
    stages: Object.fromEntries(times),
    ...{ peakRssBytes, restarts },
  }
}

const isoTime = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())

function rounded(figures: Readonly<Record<string, number | undefined>>): Record<string, number | null> {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, measured(value)]))
}

/** A line for each field. */
function fields(object: object): string {
  return Object.entries(object)
    .map(([key, value]) => `${JSON.stringify(key)}: ${text(value)}`)
    .join(',\n')
}

/** Objects of other hands come with their keys in any order; here it is the alphabet's. */
function text(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
