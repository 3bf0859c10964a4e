/**
 * Whole pictures as files: JPEG or PNG of a full-resolution frame. Session host only.
 * Conversion and coding run on libuv's pool, so that the event loop goes on with the next frame; whoever calls keeps the frame
 * until the answer. The codec's contexts and memory are used again: one picture is coded at a time, the others wait.
 */
import { Codec, CodecContext, Frame, Packet, Rational, SoftwareScaleContext } from 'node-av'
import {
  AV_CODEC_FLAG_QSCALE,
  AV_CODEC_ID_MJPEG,
  AV_CODEC_ID_PNG,
  AV_PIX_FMT_RGB24,
  AV_PIX_FMT_YUVJ420P,
  AVCOL_RANGE_JPEG,
  AVCOL_SPC_BT470BG,
  AVCOL_SPC_RGB,
} from 'node-av/constants'
import { GrabberError } from '../../core/errors.ts'
import type { Size } from '../../core/geometry.ts'
import { expectStatus } from './ffmpeg-status.ts'
import type { NativeFrame } from './native-frame.ts'

export interface StillFormat {
  format: 'jpg' | 'png'
  /** FFmpeg's 2 (best) to 31; of JPEG. */
  jpegQuality: number
  /** px, by area averaging; that of the frame when absent. */
  size?: Size
}

/** FFmpeg's quality in its own unit (libavutil/avutil.h, FF_QP2LAMBDA). */
const LAMBDA = 118
/** Of zlib: 92 ms of CPU time for 1080p instead of 520 ms at the default, in files that are 7 % larger. */
const PNG_LEVEL = 1

/** JFIF is BT.601 at full range. */
const shapes = {
  jpg: { codec: AV_CODEC_ID_MJPEG, pixels: AV_PIX_FMT_YUVJ420P, colours: AVCOL_SPC_BT470BG },
  png: { codec: AV_CODEC_ID_PNG, pixels: AV_PIX_FMT_RGB24, colours: AVCOL_SPC_RGB },
} as const

export class StillEncoder implements AsyncDisposable {
  readonly #format: StillFormat
  readonly #scaler = new SoftwareScaleContext()
  #shaped: { frame: Frame; context: CodecContext } | undefined
  #last: Promise<unknown> = Promise.resolve()
  #count = 0n

  constructor(format: StillFormat) {
    this.#format = format
    this.#scaler.allocContext()
    // Nothing else keeps fine patterns from becoming coarse ones in a picture made much smaller.
    if (format.size) expectStatus(this.#scaler.setOption('sws_flags', 'area'), 'DEC_FAILED', 'scaler option')
  }

  /** The file's bytes. Pictures are coded in the order of the calls. Errors: DEC_FAILED, DEC_UNSUPPORTED. */
  encode(frame: NativeFrame): Promise<Buffer> {
    const coded = this.#last.then(() => this.#encode(frame))
    this.#last = coded.catch(() => undefined)
    return coded
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last
    this.#close()
    this.#scaler.freeContext()
  }

  async #encode(frame: NativeFrame): Promise<Buffer> {
    const { frame: shaped, context } = this.#shapeFor(this.#format.size ?? frame)
    expectStatus(await this.#scaler.scaleFrame(shaped, frame), 'DEC_FAILED', 'the picture cannot be converted')
    // An encoder refuses a time that does not grow.
    shaped.pts = this.#count++
    shaped.quality = this.#format.jpegQuality * LAMBDA
    expectStatus(await context.sendFrame(shaped), 'DEC_FAILED', 'the encoder does not take the picture')
    using packet = new Packet()
    packet.alloc()
    expectStatus(await context.receivePacket(packet), 'DEC_FAILED', 'the encoder gives nothing')
    return Buffer.from(packet.data!)
  }

  #shapeFor({ width, height }: Size): { frame: Frame; context: CodecContext } {
    const shaped = this.#shaped
    if (shaped?.frame.width === width && shaped.frame.height === height) return shaped
    this.#close()
    const frame = newFrame({ width, height }, this.#format.format)
    this.#shaped = { frame, context: newContext(frame, this.#format) }
    return this.#shaped
  }

  #close(): void {
    this.#shaped?.context.freeContext()
    this.#shaped?.frame.free()
    this.#shaped = undefined
  }
}

function newFrame({ width, height }: Size, format: StillFormat['format']): Frame {
  const frame = new Frame()
  frame.alloc()
  frame.format = shapes[format].pixels
  frame.width = width
  frame.height = height
  frame.colorRange = AVCOL_RANGE_JPEG
  frame.colorSpace = shapes[format].colours
  expectStatus(frame.getBuffer(), 'DEC_FAILED', 'no memory for a picture')
  return frame
}

function newContext(frame: Frame, { format, jpegQuality }: StillFormat): CodecContext {
  const codec = Codec.findEncoder(shapes[format].codec)
  if (!codec) throw new GrabberError('DEC_UNSUPPORTED', `this FFmpeg has no encoder for ${format}`)
  const context = new CodecContext()
  context.allocContext3(codec)
  context.width = frame.width
  context.height = frame.height
  context.pixelFormat = shapes[format].pixels
  context.colorRange = AVCOL_RANGE_JPEG
  context.timeBase = new Rational(1, 1000)
  // Each picture is a whole one, and another one must not be waited for.
  context.threadCount = 1
  if (format === 'jpg') {
    context.setFlags(AV_CODEC_FLAG_QSCALE)
    context.globalQuality = jpegQuality * LAMBDA
  } else {
    const status = context.setOption('compression_level', String(PNG_LEVEL))
    expectStatus(status, 'DEC_FAILED', 'an option of the PNG encoder')
  }
  expectStatus(context.open2Sync(codec, null), 'DEC_FAILED', `the encoder of ${format} cannot be opened`)
  return context
}
