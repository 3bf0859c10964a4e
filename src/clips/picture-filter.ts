/**
 * The filters that make a recording's pictures those of a clip: progressive, even in size, BT.709 in narrow range, a constant
 * rate. Pure: texts for ffmpeg. Turning upright is ffmpeg's own doing (autorotate, before the first filter).
 */
import { BT709, toneSteps, type ZscaleColour, zscaleInput } from '../../core/tone-mapping.ts'
import { outputRate } from './output-rate.ts'
import type { VideoFacts } from './source-facts.ts'

/** SD is up to the lines of PAL: what a player takes an untagged stream for (ITU-R BT.601, 525 and 625 lines). */
const SD_HEIGHT = 576
const SD_WIDTH = 1024

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
  if (video.hdr !== null) return toneSteps(video.hdr, colour, video.peakNits).map(([name, args]) => `${name}=${args}`)
  const isBt709 = [colour.primaries, colour.transfer, colour.matrix].every((tag) => tag === 'bt709')
  return isBt709 && colour.range === 'tv' ? [] : [`zscale=${zscaleInput(colour)}:${BT709}`]
}

/** What a stream leaves unsaid is as players take it: BT.2100 for HDR, BT.601 for SD, else BT.709; narrow range. */
function assumed({ primaries, transfer, matrix, range, hdr, width, height, pixelFormat }: VideoFacts): ZscaleColour {
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
