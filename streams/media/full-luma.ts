/**
 * The luma of a full-resolution frame as 8 bits a pixel, whatever it was decoded to. Session host only.
 * Usual frames are looked at where they are; others (10 bits, RGB) are converted into memory that is used again.
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
  #converted: Frame | undefined

  /** A view, valid as long as `frame` is, and until the next call at most. Errors: DEC_FAILED. */
  of(frame: Frame): LumaView {
    return viewOf(PLAIN.has(frame.format) ? frame : this.#convert(frame))
  }

  [Symbol.dispose](): void {
    this.#converted?.free()
    this.#scaler?.freeContext()
    this.#converted = undefined
    this.#scaler = undefined
  }

  #convert(frame: Frame): Frame {
    const { width, height } = frame
    if (this.#converted?.width !== width || this.#converted.height !== height) {
      this.#converted?.free()
      this.#converted = newYuvFrame(width, height)
    }
    this.#scaler ??= newScaler()
    this.#converted.colorSpace = frame.colorSpace
    this.#converted.colorRange = frame.colorRange
    const status = this.#scaler.scaleFrameSync(this.#converted, frame)
    expectStatus(status, 'DEC_FAILED', 'the picture cannot be converted')
    return this.#converted
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

function newYuvFrame(width: number, height: number): Frame {
  const frame = new Frame()
  frame.alloc()
  frame.format = AV_PIX_FMT_YUV420P
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
