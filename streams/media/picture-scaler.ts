/**
 * Owns the small analysis picture of a session: full frame in, luma and RGB of the analysis size out. Session host only.
 * Two steps: YUV 4:2:0 at the analysis size for every sampled frame (motion and quality need the luma alone), planar RGB
 * only for frames that reach the detector. Measured on 1080p: 0.36 ms and 0.06 ms.
 */
import { Frame, SoftwareScaleContext } from 'node-av'
import { AV_PIX_FMT_GBRP, AV_PIX_FMT_YUV420P } from 'node-av/constants'
import type { RgbPicture, YuvView } from '../../core/frame.ts'
import type { Size } from '../../core/geometry.ts'
import { expectStatus } from './ffmpeg-status.ts'

/** Of the analysis picture: a strip one px wide would become a million high. */
const MAX_HEIGHT_PX = 4096

/** The analysis size: `widthPx` wide at most, even sides, the display's aspect. A smaller picture is not enlarged. */
export function analysisSize(display: Size, widthPx: number): Size {
  const width = Math.max(32, Math.min(widthPx, display.width) & ~1)
  const height = Math.max(32, Math.min(MAX_HEIGHT_PX, Math.round((width * display.height) / display.width / 2) * 2))
  return { width, height }
}

/** A picture of the analysis size on loan from its scaler; `dispose` gives it back. */
export class SmallPicture implements Disposable {
  readonly frame: Frame
  readonly #giveBack: (picture: SmallPicture) => void
  #yuv: YuvView | undefined

  constructor(frame: Frame, giveBack: (picture: SmallPicture) => void) {
    this.frame = frame
    this.#giveBack = giveBack
  }

  /** One view for the picture's life: each look at `frame.data` is new external memory in the collector's books. */
  get yuv(): YuvView {
    this.#yuv ??= viewOf(this.frame)
    return this.#yuv
  }

  [Symbol.dispose](): void {
    this.#giveBack(this)
  }
}

/**
 * The memory of its pictures is used again and again: without that, allocations outside V8's heap cause a full garbage
 * collection every ten frames, 15 % of a replay's CPU time (docs/performance.md).
 */
export class PictureScaler implements Disposable {
  readonly size: Size
  #toSmall = scaler('area')
  #toRgb = scaler('fast_bilinear')
  #rgb: Frame
  #planes: Buffer[]
  #spare: SmallPicture[] = []
  #closed = false

  constructor(size: Size) {
    this.size = size
    this.#rgb = newFrame(AV_PIX_FMT_GBRP, size)
    this.#planes = this.#rgb.data!
  }

  /** A small picture that the caller disposes. */
  small(full: Frame): SmallPicture {
    const small = this.#spare.pop() ?? this.#newSmall()
    tagAs(small.frame, full)
    const status = this.#toSmall.scaleFrameSync(small.frame, full)
    if (status < 0) small[Symbol.dispose]()
    expectStatus(status, 'DEC_FAILED', 'the picture cannot be scaled')
    return small
  }

  /** A copy that the caller owns, in the memory of `old` when that is given: a picture nobody uses any more. */
  rgb(small: SmallPicture, old?: RgbPicture): RgbPicture {
    this.#rgb.colorPrimaries = small.frame.colorPrimaries
    this.#rgb.colorTrc = small.frame.colorTrc
    expectStatus(this.#toRgb.scaleFrameSync(this.#rgb, small.frame), 'DEC_FAILED', 'the picture cannot be converted')
    return rgbFromGbrp(this.#rgb, this.#planes, old?.data)
  }

  [Symbol.dispose](): void {
    this.#closed = true
    for (const { frame } of this.#spare.splice(0)) frame.free()
    this.#rgb.free()
    this.#toSmall.freeContext()
    this.#toRgb.freeContext()
  }

  #newSmall(): SmallPicture {
    return new SmallPicture(newFrame(AV_PIX_FMT_YUV420P, this.size), (picture) => {
      if (this.#closed) picture.frame.free()
      else this.#spare.push(picture)
    })
  }
}

function scaler(flags: string): SoftwareScaleContext {
  const context = new SoftwareScaleContext()
  context.allocContext()
  // Contexts that are not initialised by hand follow each frame's size, format and colour matrix (swscale 9).
  expectStatus(context.setOption('sws_flags', flags), 'DEC_FAILED', 'scaler option')
  return context
}

/**
 * The same colours as `full`: swscale 9 maps tones and gamuts by itself where two pictures' tags differ, which takes it seconds
 * and is not asked for here.
 */
function tagAs(small: Frame, full: Frame): void {
  small.colorSpace = full.colorSpace
  small.colorPrimaries = full.colorPrimaries
  small.colorTrc = full.colorTrc
}

function newFrame(format: Frame['format'], size: Size): Frame {
  const frame = new Frame()
  frame.alloc()
  frame.format = format
  frame.width = size.width
  frame.height = size.height
  expectStatus(frame.getBuffer(), 'DEC_FAILED', 'no memory for a picture')
  return frame
}

function viewOf({ width, height, linesize, data }: Frame): YuvView {
  const [y, cb, cr] = data!
  return {
    luma: { width, height, stride: linesize[0]!, data: y! },
    chroma: { stride: linesize[1]!, cb: cb!, cr: cr! },
  }
}

/** FFmpeg's planar RGB is stored G, B, R with padded rows; ours is R, G, B without padding. */
export function rgbFromGbrp(
  frame: Frame,
  planes: readonly Uint8Array[] = frame.data!,
  data: Uint8Array = new Uint8Array(3 * frame.width * frame.height),
): RgbPicture {
  const { width, height } = frame
  const [g, b, r] = planes
  for (const [index, plane] of [r!, g!, b!].entries()) {
    const stride = frame.linesize[(index + 2) % 3]!
    const start = index * width * height
    if (stride === width) data.set(plane.subarray(0, width * height), start)
    else
      for (let y = 0; y < height; y++) {
        data.set(plane.subarray(y * stride, y * stride + width), start + y * width)
      }
  }
  return { width, height, data }
}
