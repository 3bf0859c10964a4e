/**
 * How a sound is brought to the target: the filters before `loudnorm`, what `loudnorm` is told, and what is changed when the result
 * misses. Pure.
 *
 * Theory. `loudnorm` is used linearly alone: it moves the level and nothing else, and meets its target to a tenth. Left to itself it
 * goes over to its dynamic mode where peaks or range forbid that, and then misses: measured with ffmpeg 5.1, up to 8 LU of level,
 * and 9 to 15 LU of range where 7 were asked for. So what forbids it is dealt with before: a wide range by a compressor, peaks by
 * the gain and a limiter. Then it is measured again, applied, encoded, and measured as it is encoded, since AAC adds to peaks.
 */
import { type Loudness, type LoudnessScan, TARGET } from './loudness.ts'

export interface Aim {
  /** dBTP that are aimed at, below the target by what the codec is expected to add. */
  truePeak: number
  /** `null`: the range is small enough. */
  compressor: { thresholdDb: number; ratio: number } | null
  /** Gain, then no sample above `truePeak`; `null`: the peaks allow it without. */
  limiter: { gainDb: number } | null
}

/** Room for what AAC adds to peaks, dB. */
const CODEC_HEADROOM = 0.5
/** True peaks between samples that a limiter of samples does not see, dB. */
const BETWEEN_SAMPLES = 0.5
/** Nearer than this is near enough to try no more, LU: half of what is tolerated. */
const CLOSE = 0.4
/** Range that a compressor aims at, LU: it does not hold what it promises exactly. */
const RANGE_AIM = 5
/** Below the mean level nothing of what is gated out is made louder, dB (EBU Tech 3342: relative gate of the range, −20 LU). */
const BELOW_MEAN_DB = 30
const MAX_RATIO = 20
/** Limits of the filters' options. */
const MIN_CEILING_DB = -20
const MAX_GAIN_DB = 60
/** What is left for `loudnorm` to do after a limiter: more would lift the peaks over the ceiling again. LU */
const RESIDUE = 0.3

const FORM = 'aformat=sample_rates=48000:channel_layouts=stereo'
/** Stereo at 48 kHz: mono on both sides, surround mixed down by ITU-R BS.775 (centre and surrounds −3 dB, no LFE). */
export const STEREO = `aresample=async=1:first_pts=0,${FORM}`

/** Nothing is done to the sound. */
export const plainAim: Aim = { truePeak: TARGET.truePeak - CODEC_HEADROOM, compressor: null, limiter: null }

/** `scan`: of the sound as it was. */
export function firstAim(scan: LoudnessScan): Aim {
  return scan.range > TARGET.range ? compressed(plainAim, scan, scan.range / RANGE_AIM) : plainAim
}

/**
 * The aim with a limiter that fits, where `scan` (of the sound behind the filters of `aim`) shows that it needs one or another
 * gain; `undefined` when `loudnorm` can be applied.
 */
export function limited(aim: Aim, { integrated, truePeak }: LoudnessScan): Aim | undefined {
  if (integrated === null || truePeak === null) return undefined
  const missing = TARGET.integrated - integrated
  if (aim.limiter) {
    const gainDb = clamp(aim.limiter.gainDb + missing, -MAX_GAIN_DB, MAX_GAIN_DB)
    return Math.abs(missing) <= RESIDUE || gainDb === aim.limiter.gainDb ? undefined : { ...aim, limiter: { gainDb } }
  }
  return truePeak + missing <= aim.truePeak ? undefined : { ...aim, limiter: { gainDb: missing } }
}

/** The next aim after `got`; `undefined` when that is near enough. `scan`: of the sound as it was. */
export function nextAim(aim: Aim, got: Loudness, scan: LoudnessScan): Aim | undefined {
  if (got.integrated === null) return undefined
  const missing = TARGET.integrated - got.integrated
  const excess = got.truePeak === null ? 0 : got.truePeak - TARGET.truePeak
  // What compression changes moves level and peaks as well: they are seen to again.
  if (got.range > TARGET.range) return compressed(aim, scan, ((aim.compressor?.ratio ?? 1) * got.range) / RANGE_AIM)
  if (excess <= 0 && Math.abs(missing) <= CLOSE) return undefined
  const { gainDb } = aim.limiter ?? { gainDb: TARGET.integrated - (scan.integrated ?? TARGET.integrated) }
  const truePeak = Math.max(MIN_CEILING_DB, aim.truePeak - (excess > 0 ? excess + 0.2 : 0))
  return { ...aim, truePeak, limiter: { gainDb } }
}

/** What comes before `loudnorm`. */
export function preparation({ truePeak, compressor, limiter }: Aim): string[] {
  const filters: string[] = []
  if (compressor) {
    const threshold = amplitude(compressor.thresholdDb)
    filters.push(`acompressor=threshold=${threshold}:ratio=${compressor.ratio.toFixed(2)}:attack=20:release=400`)
  }
  if (limiter) {
    const limit = amplitude(truePeak - BETWEEN_SAMPLES)
    filters.push(`volume=${limiter.gainDb.toFixed(2)}dB:precision=double`)
    filters.push(`alimiter=limit=${limit}:attack=5:release=50:level=disabled`)
  }
  return filters
}

/** First pass: reports, and changes nothing that is kept. */
export function scanFilter(): string {
  return `loudnorm=${told(TARGET.truePeak, TARGET.range)}:print_format=json`
}

/**
 * Second pass with the figures of the first. Those have limits: what is louder than 0 LUFS is turned down before, and a range of 0
 * (a steady tone) would be taken for an unknown one.
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
  // What was prepared must not bring it into its dynamic mode: range and peaks are seen to.
  const target = told(aim.limiter ? 0 : aim.truePeak, aim.compressor ? 20 : TARGET.range)
  // The layout is said again: ffmpeg 5 does not always find it here.
  return [...turnedDown, `loudnorm=${target}:${measured.join(':')}:linear=true`, FORM]
}

function told(truePeak: number, range: number): string {
  return `I=${TARGET.integrated}:TP=${truePeak.toFixed(2)}:LRA=${range}`
}

function compressed(aim: Aim, { integrated }: LoudnessScan, ratio: number): Aim {
  const thresholdDb = Math.max(-60, (integrated ?? TARGET.integrated) - BELOW_MEAN_DB)
  return { ...aim, limiter: null, compressor: { thresholdDb, ratio: clamp(ratio, 1.5, MAX_RATIO) } }
}

const amplitude = (db: number) => (10 ** (db / 20)).toFixed(6)
const clamp = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high)
