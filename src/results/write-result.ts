/**
 * Everything that an extraction leaves beside its pictures: metadata.json, report.html and what `--export` asks for. Runs where the
 * job runs. `folder` holds `images/` and is not yet the result: whoever owns it gives it its name when all is written.
 */
import { join } from 'node:path'
import type { CopyOrder } from '../../core/wire/copies.ts'
import { writeExports } from './exports/export-formats.ts'
import type { ExportFormat, ExtractionResult } from './extraction-result.ts'
import { writeMetadata } from './metadata.ts'
import type { MetadataSummary } from './metadata-schema.ts'
import { CandidateSeries } from './report/candidate-series.ts'
import { planThumbnails, writeReport } from './report/write-report.ts'

export interface WriteOptions {
  exports: readonly ExportFormat[]
  /** Absolute: what `folder` will be called. Exports that must name pictures by their whole path name them there. */
  finalFolder: string
  /** Makes smaller copies of pictures (actors/copies-job). */
  copyPictures: (orders: readonly CopyOrder[]) => Promise<void>
}

/**
 * Can be done again over what an earlier attempt left: each file is written anew. Errors: STO_OUTPUT, STO_FULL, STO_UNUSABLE; what
 * `copyPictures` and reading `result.records` throw.
 */
export async function writeResult(
  folder: string,
  result: ExtractionResult,
  { exports, finalFolder, copyPictures }: WriteOptions,
): Promise<MetadataSummary> {
  const series = new CandidateSeries()
  const summary = await writeMetadata(join(folder, 'metadata.json'), result, (record) => series.add(record))
  const plan = await planThumbnails(folder, result.keyframes)
  const copies = await writeExports(folder, finalFolder, result, exports)
  await copyPictures(onceEach([...plan.orders, ...copies]))
  await writeReport(folder, plan, { result, summary, series, exports })
  return summary
}

/** One order for each picture, so that none is decoded twice. */
function onceEach(orders: readonly CopyOrder[]): CopyOrder[] {
  const files = Map.groupBy(orders, ({ file }) => file)
  return [...files].map(([file, own]) => ({ file, copies: own.flatMap(({ copies }) => copies) }))
}
