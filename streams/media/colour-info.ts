/**
 * What a stream or a picture says of its colours, in FFmpeg's names. Session host only.
 */
import { avGetPixFmtName, type CodecParameters, type Frame } from 'node-av'
import {
  AVCOL_PRI_BT2020,
  AVCOL_RANGE_JPEG,
  AVCOL_RANGE_MPEG,
  AVCOL_SPC_BT2020_CL,
  AVCOL_SPC_BT2020_NCL,
  AVCOL_TRC_ARIB_STD_B67,
  AVCOL_TRC_SMPTE2084,
  type AVPixelFormat,
} from 'node-av/constants'
import type { ColourInfo } from '../../core/wire/preflight.ts'

type Tags = 'colorPrimaries' | 'colorTrc' | 'colorSpace' | 'colorRange'
/** A picture, or the parameters of a video stream. */
export type Coloured = Pick<Frame, Tags | 'format'> | Pick<CodecParameters, Tags | 'format'>

/** By code point (ITU-T H.273); names as in libavutil/pixdesc.c. */
const PRIMARIES: Record<number, string> = {
  1: 'bt709',
  4: 'bt470m',
  5: 'bt470bg',
  6: 'smpte170m',
  7: 'smpte240m',
  8: 'film',
  9: 'bt2020',
  10: 'smpte428',
  11: 'smpte431',
  12: 'smpte432',
  22: 'ebu3213',
}
const TRANSFERS: Record<number, string> = {
  1: 'bt709',
  4: 'bt470m',
  5: 'bt470bg',
  6: 'smpte170m',
  7: 'smpte240m',
  8: 'linear',
  9: 'log100',
  10: 'log316',
  11: 'iec61966-2-4',
  12: 'bt1361e',
  13: 'iec61966-2-1',
  14: 'bt2020-10',
  15: 'bt2020-12',
  16: 'smpte2084',
  17: 'smpte428',
  18: 'arib-std-b67',
}
const MATRICES: Record<number, string> = {
  0: 'gbr',
  1: 'bt709',
  4: 'fcc',
  5: 'bt470bg',
  6: 'smpte170m',
  7: 'smpte240m',
  8: 'ycgco',
  9: 'bt2020nc',
  10: 'bt2020c',
  11: 'smpte2085',
  12: 'chroma-derived-nc',
  13: 'chroma-derived-c',
  14: 'ictcp',
  15: 'ipt-c2',
  16: 'ycgco-re',
  17: 'ycgco-ro',
}
const RANGES: Record<number, string> = { [AVCOL_RANGE_MPEG]: 'tv', [AVCOL_RANGE_JPEG]: 'pc' }

export function colourOf(like: Coloured): ColourInfo {
  return {
    primaries: PRIMARIES[like.colorPrimaries] ?? 'unknown',
    transfer: TRANSFERS[like.colorTrc] ?? 'unknown',
    matrix: MATRICES[like.colorSpace] ?? 'unknown',
    range: RANGES[like.colorRange] ?? 'unknown',
    bitDepth: bitDepthOf(avGetPixFmtName(like.format as AVPixelFormat) ?? ''),
    hdr: hdrOf(like),
  }
}

/** PQ and HLG by their transfer; else BT.2020 by its primaries or its matrix. */
export function hdrOf({ colorPrimaries, colorTrc, colorSpace }: Coloured): ColourInfo['hdr'] {
  if (colorTrc === AVCOL_TRC_SMPTE2084) return 'pq'
  if (colorTrc === AVCOL_TRC_ARIB_STD_B67) return 'hlg'
  const wide = colorPrimaries === AVCOL_PRI_BT2020
  return wide || colorSpace === AVCOL_SPC_BT2020_NCL || colorSpace === AVCOL_SPC_BT2020_CL ? 'bt2020' : null
}

/** Bits of a component, from the name of a pixel format: yuv420p10le, p010le, gray12be, rgb48le, gbrp. */
export function bitDepthOf(format: string): number {
  if (/^(rgb|bgr)48|^(rgba|bgra|ayuv)64/.test(format)) return 16
  const depth = /^(?:p[024]|nv20|x2(?:rgb|bgr)|.*?(?:p|gray|y2|xv3))(9|1[0246])(?:le|be|$)/.exec(format)?.[1]
  return depth === undefined ? 8 : Number(depth)
}
