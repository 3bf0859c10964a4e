/**
 * Cuts regions out of the full-resolution frame: RGB patches for face crops, JPEGs for best shots. Session host only.
 * One filter graph per cut: 0.6–0.9 ms on 1080p, and a face is cut a few times a second at most.
 */
import { Codec, CodecContext, type Frame, Packet, Rational } from 'node-av'
import { AV_CODEC_ID_MJPEG, AVCOL_RANGE_JPEG } from 'node-av/constants'
import { GrabberError } from '../../core/errors.ts'
import type { RgbPicture } from '../../core/frame.ts'
import { type Box, clipBox } from '../../core/geometry.ts'
import { expectStatus } from './ffmpeg-status.ts'
import { FilterChain, type FilterStep } from './filter-chain.ts'
import { rgbFromGbrp } from './picture-scaler.ts'

export interface Patch {
  picture: RgbPicture
  /** The region that was cut, px of the full frame; whole numbers. */
  region: Box
}

/** The whole-pixel region around `box` inside the frame; `undefined` when less than 2 px of it lie inside. */
function pixelRegion(frame: Frame, box: Box): Box | undefined {
  const inside = clipBox(box, frame)
  const x = Math.floor(inside.x)
  const y = Math.floor(inside.y)
  const width = Math.min(frame.width, Math.ceil(inside.x + inside.width)) - x
  const height = Math.min(frame.height, Math.ceil(inside.y + inside.height)) - y
  return width >= 2 && height >= 2 ? { x, y, width, height } : undefined
}

/** `box` of `frame` as planar RGB, made smaller (area averaging) so that its longer side is at most `maxSidePx`. */
export function cutPatch(frame: Frame, box: Box, maxSidePx: number): Patch | undefined {
  const region = pixelRegion(frame, box)
  if (!region) return undefined
  using chain = new FilterChain(frame, [...cutSteps(region, maxSidePx), ['format', 'pix_fmts=gbrp']])
  using out = chain.run(frame)
  return { picture: rgbFromGbrp(out), region }
}

/** `box` of `frame` as a JPEG, its longer side at most `maxSidePx`. */
export function cutJpeg(frame: Frame, box: Box, maxSidePx: number): Buffer | undefined {
  const region = pixelRegion(frame, box)
  if (!region) return undefined
  using chain = new FilterChain(frame, [...cutSteps(region, maxSidePx), ['format', 'pix_fmts=yuvj420p']])
  using out = chain.run(frame)
  return encodeJpeg(out)
}

function cutSteps(region: Box, maxSidePx: number): FilterStep[] {
  const factor = Math.min(1, maxSidePx / Math.max(region.width, region.height))
  const width = Math.max(2, Math.round(region.width * factor))
  const height = Math.max(2, Math.round(region.height * factor))
  return [
    // exact=1: without it the crop moves to the chroma grid and the landmarks are off by up to a pixel.
    ['crop', `w=${region.width}:h=${region.height}:x=${region.x}:y=${region.y}:exact=1`],
    ['scale', `w=${width}:h=${height}:flags=area`],
  ]
}

function encodeJpeg(frame: Frame): Buffer {
  const codec = Codec.findEncoder(AV_CODEC_ID_MJPEG)
  if (!codec) throw new GrabberError('DEC_UNSUPPORTED', 'this FFmpeg has no JPEG encoder')
  using context = new CodecContext()
  context.allocContext3(codec)
  context.width = frame.width
  context.height = frame.height
  context.pixelFormat = frame.format as typeof context.pixelFormat
  context.colorRange = AVCOL_RANGE_JPEG
  context.timeBase = new Rational(1, 1000)
  expectStatus(context.open2Sync(codec, null), 'DEC_FAILED', 'the JPEG encoder cannot be opened')
  frame.pts = 0n
  expectStatus(context.sendFrameSync(frame), 'DEC_FAILED', 'the JPEG encoder does not take the picture')
  using packet = new Packet()
  packet.alloc()
  expectStatus(context.receivePacketSync(packet), 'DEC_FAILED', 'the JPEG encoder gives nothing')
  return Buffer.from(packet.data!)
}
