/**
 * Which of the keyframes that selection took stay in the result: all, so many as were asked for, or those that a second pass
 * needs. Runs in the command that works on recordings. Owns the cache of second passes. What leaves is said in the journal
 * before its picture goes, so that a crash in between changes nothing.
 */
import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { runSecondPass } from '../../actors/second-pass-job.ts'
import type { FrameRecord, KeyframeRecord } from '../../core/keyframe.ts'
import type { ShotReport } from '../../core/shot.ts'
import type { SecondPassOutcome } from '../../core/wire/second-pass.ts'
import { thin } from '../../streams/analysis/selection/thin.ts'
import { ShotMeter } from '../../streams/analysis/shots/shot-meter.ts'
import type { SecondPassReport } from '../results/extraction-result.ts'
import type { ExtractionTools } from './extraction-tools.ts'
import type { PartFolder } from './part-folder.ts'

/** Grows when the second pass decides otherwise than before: an older answer is then no answer. */
const CACHE_VERSION = 1

export interface FinalChoice {
  part: PartFolder
  tools: ExtractionTools
  signal: AbortSignal
  onProgress(ratio: number): void
}

export interface FinalKeyframes {
  /** In order of `seq`. */
  keyframes: KeyframeRecord[]
  /** Every record, as selection made it or as `thinned`. */
  records: AsyncIterable<FrameRecord>
  shots: ShotReport[]
  secondPass?: SecondPassReport
}

/** STO_OUTPUT, STO_FULL, DEC_*, ACT_*; the reason of the signal. */
export async function finalKeyframes(choice: FinalChoice): Promise<FinalKeyframes> {
  const { part, tools } = choice
  const selected = await chosen(part)
  const { optimise, maxFrames } = tools.settings
  const outcome = optimise && selected.length > 1 ? await secondPass(choice, selected) : undefined
  const kept = keptOf(selected, outcome, maxFrames)
  const names = new Set(kept.map(({ file }) => file))
  const leaving = selected.map(({ file }) => file).filter((file) => !names.has(file))
  if (leaving.length > 0) {
    part.journal.thin(leaving)
    for (const file of leaving) await rm(join(part.images, file), { force: true })
  }
  const staying = new Set(kept.map(({ seq }) => seq))
  return {
    keyframes: kept,
    records: asFinal(part, staying),
    shots: await shotsOf(asFinal(part, staying)),
    ...(outcome && { secondPass: reportOf(outcome, selected.length) }),
  }
}

function keptOf(
  selected: KeyframeRecord[],
  outcome: SecondPassOutcome | undefined,
  maxFrames: number | null,
): KeyframeRecord[] {
  if (outcome) {
    const kept = new Set(outcome.kept)
    return selected.filter(({ seq }) => kept.has(seq))
  }
  return maxFrames === null ? selected : thin(selected, maxFrames)
}

async function chosen(part: PartFolder): Promise<KeyframeRecord[]> {
  const keyframes: KeyframeRecord[] = []
  for await (const record of part.journal.records()) if (record.chosen) keyframes.push(record as KeyframeRecord)
  return keyframes.sort((a, b) => a.seq - b.seq)
}

async function* asFinal(part: PartFolder, kept: ReadonlySet<number>): AsyncGenerator<FrameRecord> {
  for await (const record of part.journal.records()) {
    if (!record.chosen || kept.has(record.seq)) yield record
    else yield { ...record, chosen: false, reason: 'thinned' }
  }
}

async function shotsOf(records: AsyncIterable<FrameRecord>): Promise<ShotReport[]> {
  const meter = new ShotMeter()
  for await (const record of records) meter.add(record)
  return meter.finish()
}

async function secondPass(
  { part, tools, signal, onProgress }: FinalChoice,
  selected: readonly KeyframeRecord[],
): Promise<SecondPassOutcome> {
  const { config, settings, host, logger } = tools
  const pictures = selected.map(({ seq, file, score }) => ({ seq, file, score: score.score }))
  const told = {
    version: CACHE_VERSION,
    max: settings.maxFrames,
    pictures,
    pixels: selected.map(({ pixelHash }) => pixelHash),
  }
  const key = createHash('sha256').update(JSON.stringify(told)).digest('hex')
  const cached = join(config.data, 'cache', 'second-pass', `${key}.json`)
  const known = await readCached(cached)
  if (known) return known
  const outcome = await runSecondPass({
    spec: { imagesDir: part.images, pictures, max: settings.maxFrames, openTimeoutMs: config.timeouts.openMs },
    ...{ host, signal, onProgress },
  })
  // Without it the next one takes longer; that is all.
  await writeCached(cached, outcome).catch((error) =>
    logger.warn({ code: 'STO_UNUSABLE' }, `the second pass is not kept (${error.code ?? 'unknown'})`),
  )
  return outcome
}

const seqs = z.array(z.int().min(0))
const cachedSchema = z.strictObject({
  kept: seqs,
  registered: z.strictObject({ before: seqs, after: seqs }),
  pairs: z.strictObject({ compared: z.int(), verified: z.int(), withParallax: z.int() }),
  tracks: z.strictObject({ count: z.int(), meanLength: z.number(), medianAngleDeg: z.number() }),
})

/** A file that is damaged is none. */
async function readCached(path: string): Promise<SecondPassOutcome | undefined> {
  try {
    return cachedSchema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    return undefined
  }
}

async function writeCached(path: string, outcome: SecondPassOutcome): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const unfinished = `${path}.${process.pid}.part`
  await writeFile(unfinished, JSON.stringify(outcome))
  await rename(unfinished, path)
}

function reportOf({ kept, registered, pairs, tracks }: SecondPassOutcome, before: number): SecondPassReport {
  return {
    before,
    after: kept.length,
    findings: {
      forecastRegisteredBefore: registered.before.length,
      forecastRegisteredAfter: registered.after.length,
      pairsCompared: pairs.compared,
      pairsVerified: pairs.verified,
      pairsWithParallax: pairs.withParallax,
      tracks: tracks.count,
      meanTrackLength: tracks.meanLength,
      medianAngleDeg: tracks.medianAngleDeg,
    },
  }
}
