/**
 * The filters that make a recording's pictures those of a clip: progressive, even in size, BT.709 in narrow range, a constant
 * rate. Pure: texts for ffmpeg. Turning upright is ffmpeg's own doing (autorotate, before the first filter).
 */
import { outputRate } from './output-rate.ts'
import type { VideoFacts } from './source-facts.ts'

/** As streams/media/tone-mapper, which maps what is analysed: HDR reference white (BT.2408) and nominal peak (BT.2100), cd/m². */
const REFERENCE_WHITE_NITS = 203
const USUAL_PEAK_NITS = 1000
/** Share of the reference white up to which light stays as it is. */
const KNEE = 0.3

const BT709 = 'primaries=bt709:transfer=bt709:matrix=bt709:range=tv'
/** SD is up to the lines of PAL: what a player takes an untagged stream for (ITU-R BT.601, 525 and 625 lines). */
const SD_HEIGHT = 576
const SD_WIDTH = 1024

type Colour = Record<'primaries' | 'transfer' | 'matrix' | 'range', string>

/** A chain from the decoded video to what the encoder takes. */
export function pictureFilter(video: VideoFacts): string {
  return [
    ...(video.isInterlaced ? ['yadif'] : []),
    // 4:2:0 has a colour for two by two pixels.
    'crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0',
    ...colourFilters(video),
    `fps=${outputRate(video)}:start_time=0`,
    'format=yuv420p',
    'setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709',
  ].join(',')
}

function colourFilters(video: VideoFacts): string[] {
  const colour = assumed(video)
  const from = `primariesin=${colour.primaries}:transferin=${colour.transfer}:matrixin=${colour.matrix}:rangein=${colour.range}`
  if (video.hdr === null) {
    const isBt709 = [colour.primaries, colour.transfer, colour.matrix].every((tag) => tag === 'bt709')
    return isBt709 && colour.range === 'tv' ? [] : [`zscale=${from}:${BT709}`]
  }
  const linear = 'format=gbrpf32le'
  if (video.hdr === 'bt2020')
    return [`zscale=${from}:transfer=linear`, linear, 'zscale=primaries=bt709', `zscale=${BT709}`]
  const white = (video.hdr === 'pq' ? (video.peakNits ?? USUAL_PEAK_NITS) : USUAL_PEAK_NITS) / REFERENCE_WHITE_NITS
  return [
    `zscale=${from}:transfer=linear:npl=${REFERENCE_WHITE_NITS}`,
    linear,
    'zscale=primaries=bt709',
    `tonemap=tonemap=mobius:param=${KNEE}:desat=0:peak=${Math.max(1, white)}`,
    `zscale=${BT709}`,
  ]
}

/** What a stream leaves unsaid is as players take it: BT.2100 for HDR, BT.601 for SD, else BT.709; narrow range. */
function assumed({ primaries, transfer, matrix, range, hdr, width, height, pixelFormat }: VideoFacts): Colour {
  const isSd = Math.min(width, height) <= SD_HEIGHT && Math.max(width, height) <= SD_WIDTH
  const lines625 = Math.min(width, height) === SD_HEIGHT
  const sd = { primaries: lines625 ? 'bt470bg' : 'smpte170m', transfer: 'smpte170m', matrix: 'smpte170m' }
  const hd = { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' }
  const wide = { primaries: 'bt2020', transfer: 'bt2020-10', matrix: 'bt2020nc' }
  const usual = hdr !== null ? wide : isSd ? sd : hd
  const or = (value: string, other: string) => (isSaid(value) ? value : other)
  // What has red, green and blue has no matrix, and its range is full.
  const isRgb = /^(gbr|rgb|bgr|argb|abgr|0rgb|0bgr|pal8)/.test(pixelFormat)
  const isFull = isRgb || pixelFormat.startsWith('yuvj')
  return {
    primaries: or(primaries, isRgb ? 'bt709' : usual.primaries),
    transfer: or(transfer, isRgb ? 'iec61966-2-1' : usual.transfer),
    matrix: isRgb ? 'gbr' : or(matrix, usual.matrix),
    range: or(range, isFull ? 'pc' : 'tv'),
  }
}

const isSaid = (value: string) => !['unknown', 'unspecified', 'reserved', ''].includes(value)
