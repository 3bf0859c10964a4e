/**
 * The order of the top-level boxes of an MP4 file (ISO/IEC 14496-12, 4.2). Reads headers only.
 */
import { open } from 'node:fs/promises'

const HEADER_BYTES = 16
/** More boxes than a clip has: something else is being read. */
const MAX_BOXES = 64

/** Whether the index (`moov`) stands before the media (`mdat`). */
export async function isFastStart(path: string): Promise<boolean> {
  await using file = await open(path)
  const header = Buffer.alloc(HEADER_BYTES)
  let at = 0
  for (let i = 0; i < MAX_BOXES; i++) {
    const { bytesRead } = await file.read(header, 0, HEADER_BYTES, at)
    if (bytesRead < 8) return false
    const type = header.toString('latin1', 4, 8)
    if (type === 'moov') return true
    if (type === 'mdat') return false
    const size = header.readUInt32BE(0)
    // 1: a 64-bit size follows; 0: to the end of the file.
    if (size === 0) return false
    at += size === 1 ? Number(header.readBigUInt64BE(8)) : size
  }
  return false
}
