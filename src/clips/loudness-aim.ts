/**
 * How a sound is brought to the target: what `loudnorm` is told, and what it is told next when the result misses. Pure.
 *
 * Why more than two passes. Linear application moves the level and nothing else, and meets its target. Where peaks forbid that,
 * `loudnorm` limits as it goes and ends up to 2 LU away; it does not reduce the range either (measured: 9 to 15 LU where 7 were
 * asked for, ffmpeg 5.1), and AAC adds up to 1 dB to the peaks. So the range is taken care of by a compressor before the first pass,
 * the result is measured as it is encoded, and the aim is corrected by what it misses. The pictures are not encoded for that.
 */
import { type Loudness, type LoudnessScan, TARGET } from './loudness.ts'

export interface Aim {
  /** What `loudnorm` is told. */
  integrated: number
  truePeak: number
  /** `null`: the range is small enough. */
  compressor: { thresholdDb: number; ratio: number } | null
}

/** Room for what AAC adds to peaks, dB. */
const CODEC_HEADROOM = 0.5
/** Nearer than this is near enough to try no more, LU: half of what is tolerated. */
const CLOSE = 0.4
/** Range that a compressor aims at, LU: it does not hold what it promises exactly. */
const RANGE_AIM = 5
/** Below the mean level nothing of what is gated out is made louder, dB (EBU Tech 3342: relative gate of the range, −20 LU). */
const BELOW_MEAN_DB = 30
const MAX_RATIO = 20
/** Limits of the filter's options. */
const MIN_I = -70
const MAX_I = -5
const MIN_TP = -9

/** Stereo at 48 kHz: mono on both sides, surround mixed down by ITU-R BS.775 (centre and surrounds −3 dB, no LFE). */
const FORM = 'aformat=sample_rates=48000:channel_layouts=stereo'
export const STEREO = `aresample=async=1:first_pts=0,${FORM}`

export function firstAim(scan: LoudnessScan): Aim {
  const aim: Aim = { integrated: TARGET.integrated, truePeak: TARGET.truePeak - CODEC_HEADROOM, compressor: null }
  return scan.range > TARGET.range ? compressed(aim, scan, scan.range / RANGE_AIM) : aim
}

/** The next aim after `got`; `undefined` when that is near enough. `scan`: of the sound as it was. */
export function nextAim(aim: Aim, got: Loudness, scan: LoudnessScan): Aim | undefined {
  if (got.integrated === null) return undefined
  const missing = TARGET.integrated - got.integrated
  const excess = got.truePeak === null ? 0 : got.truePeak - TARGET.truePeak
  const tooWide = got.range > TARGET.range
  if (Math.abs(missing) <= CLOSE && excess <= 0 && !tooWide) return undefined
  // What compression changes moves the level as well: that is corrected afterwards.
  if (tooWide) return compressed(aim, scan, ((aim.compressor?.ratio ?? 1) * got.range) / RANGE_AIM)
  return {
    ...aim,
    integrated: clamp(aim.integrated + (Math.abs(missing) > CLOSE ? missing : 0), MIN_I, MAX_I),
    truePeak: Math.max(MIN_TP, aim.truePeak - (excess > 0 ? excess + 0.2 : 0)),
  }
}

/** What comes before `loudnorm`; empty without. */
export function compressorFilter({ compressor }: Aim): string[] {
  if (!compressor) return []
  const threshold = 10 ** (compressor.thresholdDb / 20)
  return [`acompressor=threshold=${threshold.toFixed(6)}:ratio=${compressor.ratio.toFixed(2)}:attack=20:release=400`]
}

/** First pass: reports, and changes nothing that is kept. */
export function scanFilter(aim: Aim): string {
  return `loudnorm=${target(aim)}:print_format=json`
}

/**
 * Second pass with the figures of the first: linear where peaks allow it. Its figures have limits: louder than 0 LUFS is turned
 * down before, and a range of 0 (a steady tone) would be taken for an unknown one.
 */
export function applyFilter(aim: Aim, { integrated, range, truePeak, threshold }: LoudnessScan): string[] {
  const level = integrated ?? TARGET.integrated
  const attenuation = level > -1 ? level + 1 : 0
  const measured = [
    `measured_I=${(level - attenuation).toFixed(2)}`,
    `measured_TP=${((truePeak ?? -99) - attenuation).toFixed(2)}`,
    `measured_LRA=${Math.max(0.01, range).toFixed(2)}`,
    `measured_thresh=${Math.min(0, threshold - attenuation).toFixed(2)}`,
  ]
  const turnedDown = attenuation > 0 ? [`volume=-${attenuation.toFixed(2)}dB`] : []
  // Where it cannot be linear the filter works at 192 kHz. The layout is said again: ffmpeg 5 does not always find it here.
  return [...turnedDown, `loudnorm=${target(aim)}:${measured.join(':')}:linear=true`, FORM]
}

/** `LRA` decides for the filter whether it may be linear: the compressor has seen to the range. */
function target({ integrated, truePeak, compressor }: Aim): string {
  const range = compressor ? 20 : TARGET.range
  return `I=${integrated.toFixed(2)}:TP=${truePeak.toFixed(2)}:LRA=${range}`
}

function compressed(aim: Aim, { integrated }: LoudnessScan, ratio: number): Aim {
  const thresholdDb = Math.max(-60, (integrated ?? TARGET.integrated) - BELOW_MEAN_DB)
  return { ...aim, compressor: { thresholdDb, ratio: clamp(ratio, 1.5, MAX_RATIO) } }
}

const clamp = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high)
