/**
 * The formats of `--export`, each written beside the pictures. They share the folder: a result can have all of them at once.
 */
import type { CopyOrder } from '../../../core/wire/copies.ts'
import type { ExportFormat, ExtractionResult } from '../extraction-result.ts'
import { exportAliceVision } from './alicevision.ts'
import { exportColmap } from './colmap.ts'
import { nerfstudioCopies } from './nerfstudio.ts'

/** Writes one format; answers which copies of pictures it still needs. Errors: STO_OUTPUT, STO_FULL, STO_UNUSABLE. */
type Export = (folder: string, finalFolder: string, result: ExtractionResult) => Promise<CopyOrder[]>

const none: CopyOrder[] = []

const formats: Readonly<Record<ExportFormat, Export>> = {
  colmap: (folder, finalFolder, { keyframes }) => exportColmap(folder, finalFolder, keyframes).then(() => none),
  nerfstudio: (folder, _finalFolder, { keyframes }) => nerfstudioCopies(folder, keyframes),
  alicevision: (folder, finalFolder, { source, keyframes }) =>
    exportAliceVision(folder, finalFolder, source.contentHash, keyframes).then(() => none),
}

export async function writeExports(
  folder: string,
  finalFolder: string,
  result: ExtractionResult,
  wanted: readonly ExportFormat[],
): Promise<CopyOrder[]> {
  const orders: CopyOrder[] = []
  for (const format of new Set(wanted)) orders.push(...(await formats[format](folder, finalFolder, result)))
  return orders
}
