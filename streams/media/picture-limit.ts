/**
 * The largest picture that is decoded, and a look at a file's size before anything decodes it. Session host only.
 * A header of a few bytes can ask for gigabytes: FFmpeg's own limit is near 2²⁸ px, and its probing decodes up to seven
 * pictures before anybody can look.
 */
import { stat } from 'node:fs/promises'
import { Dictionary, FormatContext } from 'node-av'
import { GrabberError } from '../../core/errors.ts'
import type { Size } from '../../core/geometry.ts'

/** In area: 8192 × 8192, twice what 8K video has. */
export const MAX_PICTURE_PX = 8192 * 8192

/** Throws SRC_TOO_LARGE. */
export function refuseTooLarge({ width, height }: Size): void {
  if (width * height > MAX_PICTURE_PX) throw new GrabberError('SRC_TOO_LARGE', `its pictures are ${width}×${height} px`)
}

/**
 * Opens a regular file without decoders, 1 ms: containers and FFmpeg's parsers say the size of a video (not of a still). A file
 * that cannot be opened so is left to those who report it. Without this a damaged H.264 header took 2.5 GB. SRC_TOO_LARGE.
 */
export async function glanceAtSize(path: string): Promise<void> {
  const isFile = await stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
  if (!isFile) return
  const format = new FormatContext()
  try {
    // No decoder has this name, so that none is on the list.
    const options = Dictionary.fromObject({ pattern_type: 'none', codec_whitelist: 'none' })
    if ((await format.openInput(path, null, options)) < 0) return
    if ((await format.findStreamInfo(null)) < 0) return
    for (const { codecpar } of format.streams) refuseTooLarge(codecpar)
  } finally {
    await format.closeInput()
  }
}
