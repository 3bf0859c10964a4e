/**
 * The luma of a full-resolution frame as 8 bits a pixel, whatever it was decoded to. Session host only.
 * A copy in memory that is used again, 0.2 ms for 1080p: a look at a frame where it is, is new external memory in the collector's books, which
 * costs a full collection every few frames, 3 ms and more for each of them.
 */
import { createHash } from 'node:crypto'
import { Frame, SoftwareScaleContext } from 'node-av'
import {
  AV_PIX_FMT_GRAY8,
  AV_PIX_FMT_NV12,
  AV_PIX_FMT_NV21,
  AV_PIX_FMT_YUV420P,
  AV_PIX_FMT_YUV422P,
  AV_PIX_FMT_YUV444P,
  AV_PIX_FMT_YUVJ420P,
  AV_PIX_FMT_YUVJ422P,
  AV_PIX_FMT_YUVJ444P,
} from 'node-av/constants'
import type { LumaView } from '../../core/frame.ts'
import { expectStatus } from './ffmpeg-status.ts'

/** Their first plane is the luma, a byte a pixel. */
const PLAIN: ReadonlySet<Frame['format']> = new Set([
  ...[AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUV422P, AV_PIX_FMT_YUVJ422P],
  ...[AV_PIX_FMT_YUV444P, AV_PIX_FMT_YUVJ444P, AV_PIX_FMT_NV12, AV_PIX_FMT_NV21, AV_PIX_FMT_GRAY8],
])

export class FullLuma implements Disposable {
  #scaler: SoftwareScaleContext | undefined
  #own: { frame: Frame; luma: LumaView } | undefined

  /** Valid until the next call. Errors: DEC_FAILED. */
  of(frame: Frame): LumaView {
    const plain = PLAIN.has(frame.format)
    const own = this.#like(frame, plain ? frame.format : AV_PIX_FMT_YUV420P)
    const status = plain ? own.frame.copy(frame) : this.#convert(own.frame, frame)
    expectStatus(status, 'DEC_FAILED', 'the picture cannot be copied')
    return own.luma
  }

  [Symbol.dispose](): void {
    this.#own?.frame.free()
    this.#scaler?.freeContext()
    this.#own = undefined
    this.#scaler = undefined
  }

  #convert(to: Frame, frame: Frame): number {
    this.#scaler ??= newScaler()
    to.colorSpace = frame.colorSpace
    to.colorRange = frame.colorRange
    return this.#scaler.scaleFrameSync(to, frame)
  }

  #like({ width, height }: Frame, format: Frame['format']): { frame: Frame; luma: LumaView } {
    const { frame: old } = this.#own ?? {}
    if (this.#own && old?.format === format && old.width === width && old.height === height) return this.#own
    old?.free()
    const frame = newFrame(format, width, height)
    this.#own = { frame, luma: viewOf(frame) }
    return this.#own
  }
}

/**
 * SHA-256 of the rows without their padding, hex; 2.5 ms for 1080p. The same frame of the same recording has the same, however
 * it is kept.
 */
export function pixelHash({ data, width, height, stride }: LumaView): string {
  const hash = createHash('sha256')
  if (stride === width) hash.update(data.subarray(0, width * height))
  else for (let y = 0; y < height; y++) hash.update(data.subarray(y * stride, y * stride + width))
  return hash.digest('hex')
}

function viewOf({ width, height, linesize, data }: Frame): LumaView {
  return { width, height, stride: linesize[0]!, data: data![0]! }
}

function newFrame(format: Frame['format'], width: number, height: number): Frame {
  const frame = new Frame()
  frame.alloc()
  frame.format = format
  frame.width = width
  frame.height = height
  expectStatus(frame.getBuffer(), 'DEC_FAILED', 'no memory for a picture')
  return frame
}

function newScaler(): SoftwareScaleContext {
  const context = new SoftwareScaleContext()
  context.allocContext()
  return context
}
