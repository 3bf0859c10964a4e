/**
 * Smaller copies of pictures: each decoded once, and written in every size that is asked for. Session host only. The folder is
 * the asker's, and not a result before all of it is there, so names are final at once.
 */
import { writeFile } from 'node:fs/promises'
import type { Clock } from '../core/clock.ts'
import { GrabberError } from '../core/errors.ts'
import type { CopiesSpec, CopyOrder, PictureCopy } from '../core/wire/copies.ts'
import { Decoder } from './media/decoder.ts'
import { Demuxer } from './media/demuxer.ts'
import type { NativeFrame } from './media/native-frame.ts'
import { StillEncoder } from './media/still-encoder.ts'

/**
 * Calls `onCopied` with the index of each order whose copies are written. Rejects with the first error: SRC_* and DEC_* of a picture,
 * STO_FULL and STO_OUTPUT of a copy.
 */
export async function copyPictures(spec: CopiesSpec, clock: Clock, onCopied: (index: number) => void): Promise<void> {
  await using encoders = new Encoders()
  for (const [index, order] of spec.orders.entries()) {
    await copyPicture(order, spec.openTimeoutMs, clock, encoders)
    onCopied(index)
  }
}

async function copyPicture(order: CopyOrder, openTimeoutMs: number, clock: Clock, encoders: Encoders): Promise<void> {
  const frame = await onlyFrame(order.file, openTimeoutMs, clock)
  try {
    for (const copy of order.copies) await written(copy.path, await encoders.of(copy).encode(frame))
  } finally {
    frame.free()
  }
}

/** The receiver frees it. */
async function onlyFrame(file: string, openTimeoutMs: number, clock: Clock): Promise<NativeFrame> {
  await using demuxer = await Demuxer.open(file, { openTimeoutMs, clock })
  using decoder = await Decoder.open(demuxer.stream, { threads: 1, callTimeoutMs: openTimeoutMs, clock })
  for (let more = true; more; ) {
    const { packet } = await demuxer.read()
    more = packet !== null
    for await (const decoded of decoder.decode(packet)) if ('frame' in decoded) return decoded.frame
  }
  throw new GrabberError('DEC_FAILED', `${file} cannot be decoded`)
}

/** An encoder keeps its memory for one size: one for each size that is asked for. */
class Encoders implements AsyncDisposable {
  readonly #all = new Map<string, StillEncoder>()

  of({ path, width, height, jpegQuality }: PictureCopy): StillEncoder {
    const format = path.endsWith('.png') ? 'png' : 'jpg'
    const key = `${width}x${height} ${format} ${jpegQuality}`
    const encoder = this.#all.get(key) ?? new StillEncoder({ format, jpegQuality, size: { width, height } })
    this.#all.set(key, encoder)
    return encoder
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const encoder of this.#all.values()) await encoder[Symbol.asyncDispose]()
  }
}

async function written(path: string, bytes: Buffer): Promise<void> {
  try {
    await writeFile(path, bytes)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const full = code === 'ENOSPC' || code === 'EDQUOT'
    throw new GrabberError(full ? 'STO_FULL' : 'STO_OUTPUT', `${path} cannot be written (${code})`, { cause: error })
  }
}
