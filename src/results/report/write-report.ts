/**
 * Writes report.html: has thumbnails made, puts them into the page, and takes them away again. Runs where the job runs.
 */
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { KeyframeRecord } from '../../../core/keyframe.ts'
import type { CopyOrder } from '../../../core/wire/copies.ts'
import { named, writeResultFile } from '../result-file.ts'
import { type ReportInput, reportPage } from './report-page.ts'

/**
 * A page of so many at 256 px is about 6 MB, and scrolls as it should on a phone. Where there are more keyframes, these are spread
 * evenly over them.
 */
export const MOST_THUMBNAILS = 600
/** Cards are 184 to 230 px wide. */
const THUMBNAIL_WIDTH_PX = 256
/** Of FFmpeg's 2 to 31: 7 kB of a lively picture of that size. */
const THUMBNAIL_QUALITY = 6

export interface ThumbnailPlan {
  /** Removed by `writeReport`. */
  dir: string
  orders: CopyOrder[]
  files: ReadonlyMap<number, string>
}

/** Makes the folder that thumbnails pass through; the copies are to be made before `writeReport`. STO_OUTPUT. */
export async function planThumbnails(folder: string, keyframes: readonly KeyframeRecord[]): Promise<ThumbnailPlan> {
  const dir = join(folder, '.thumbnails')
  await named(dir, () => mkdir(dir, { recursive: true }))
  const files = new Map<number, string>()
  const orders = evenly(keyframes, MOST_THUMBNAILS).map(({ seq, file, width, height }): CopyOrder => {
    const path = join(dir, `${seq}.jpg`)
    files.set(seq, path)
    const size = Math.min(width, THUMBNAIL_WIDTH_PX)
    const copy = { path, width: size, height: Math.max(1, Math.round((size * height) / width)) }
    return { file: join(folder, 'images', file), copies: [{ ...copy, jpegQuality: THUMBNAIL_QUALITY }] }
  })
  return { dir, orders, files }
}

/** Errors: STO_OUTPUT, STO_FULL. */
export async function writeReport(
  folder: string,
  plan: ThumbnailPlan,
  input: Omit<ReportInput, 'thumbnails'>,
): Promise<void> {
  const thumbnails = new Map<number, string>()
  for (const [seq, path] of plan.files) {
    const bytes = await named(path, () => readFile(path))
    thumbnails.set(seq, `data:image/jpeg;base64,${bytes.toString('base64')}`)
  }
  await writeResultFile(join(folder, 'report.html'), reportPage({ ...input, thumbnails }))
  await named(plan.dir, () => rm(plan.dir, { recursive: true, force: true }))
}

export function evenly<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items]
  return Array.from({ length: most }, (_, index) => items[Math.floor((index * items.length) / most)]!)
}
