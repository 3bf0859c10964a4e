/**
 * What a picture is worth by itself: its measures as parts of 0–1, one score, and what speaks against it. Pure; session host only.
 *
 * The ends of the ramps come from 14 photographs and 6 pictures of clips, as they are and spoilt: the sharpness part is 0.92 to 1 for
 * the photographs and 0.57 to 0.91 for the clips; 0.07 to 0.66 after a Gaussian of 2 px, 0 to 0.27 after one of 4 px. An absolute
 * sharpness depends on the scene all the same: which of several pictures of one view is the sharpest, `relativeSharpness` says better.
 */
import type { PictureFault, PictureScore, QualityPart } from '../../core/keyframe.ts'
import type { FrameMeasures } from '../../core/measures.ts'
import { logRamp, ramp, weightedMean } from './ramp.ts'

/** From what on each fault is one. */
const limits = {
  /** Below this sharpness part nothing fine is left: a Gaussian of 3 px or more. */
  blurred: 0.15,
  /** Motion of 6 px or more, by directionalBlur, where fine detail is missing too: a scene of fences alone is no fault. */
  motionBlurred: { directionalBlur: 0.4, sharpness: 0.9 },
  dark: { meanLuma: 35, darkRatio: 0.6 },
  bright: { meanLuma: 222, brightRatio: 0.5 },
  /** Grey levels between the 1st and 99th percentile. */
  flat: 20,
  /** σ at which descriptors of the same point begin to differ as those of different ones. */
  noisy: 12,
  /** Cells with a corner: with so few a pose hangs on one corner of the picture. */
  featureless: 0.05,
} as const

/** `qualityWeights` by the names of `qualityParts`; they are renormalised if they do not sum to 1. */
export function scorePicture(
  measures: FrameMeasures,
  { qualityWeights }: { qualityWeights: Readonly<Record<string, number>> },
): PictureScore {
  const parts = qualityOf(measures)
  return { score: weightedMean(parts, qualityWeights), parts, faults: faultsOf(measures, parts) }
}

function qualityOf(m: FrameMeasures): Record<QualityPart, number> {
  const spectrum = logRamp(m.highFrequencyShare, 0.0005, 0.04)
  const steepness = logRamp(m.gradientP95, 20, 180)
  return {
    // The spectrum does not know contrast, and the steepness of edges not how they are spread over frequencies.
    sharpness: 0.7 * spectrum + 0.3 * steepness,
    motionBlur: ramp(m.directionalBlur, 0.6, 0.2),
    exposure: ramp(m.darkRatio + m.brightRatio, 0.5, 0.02) * ramp(m.meanLuma, 25, 70) * ramp(m.meanLuma, 240, 190),
    dynamicRange: ramp(m.dynamicRange, 20, 140),
    noise: ramp(m.noiseSigma, limits.noisy, 2),
    features: 0.5 * logRamp(m.cornerDensity, 0.1, 8) + 0.5 * ramp(m.cornerSpread, 0, 0.8),
    geometry: (ramp(m.edgeDensity, 0, 0.08) + ramp(m.lineDensity, 0, 0.15) + ramp(m.lineDiversity, 0, 0.8)) / 3,
  }
}

function faultsOf(m: FrameMeasures, parts: Record<QualityPart, number>): PictureFault[] {
  const found: Record<PictureFault, boolean> = {
    blurred: parts.sharpness < limits.blurred,
    'motion-blurred':
      m.directionalBlur >= limits.motionBlurred.directionalBlur && parts.sharpness < limits.motionBlurred.sharpness,
    dark: m.meanLuma < limits.dark.meanLuma || m.darkRatio > limits.dark.darkRatio,
    bright: m.meanLuma > limits.bright.meanLuma || m.brightRatio > limits.bright.brightRatio,
    flat: m.dynamicRange < limits.flat,
    noisy: m.noiseSigma > limits.noisy,
    featureless: m.cornerSpread < limits.featureless,
  }
  return (Object.keys(found) as PictureFault[]).filter((fault) => found[fault])
}

/**
 * How sharp a picture is against others of nearly the same view, such as its window: the geometric mean of the ratios of Laplacian
 * amplitude and gradient percentile to the medians of `others`. 1 is as sharp as they are, and the scene cancels: a Gaussian of 1 px on
 * the pictures above gives 0.41 to 0.79. 1 when there are no others.
 */
export function relativeSharpness(own: FrameMeasures, others: readonly FrameMeasures[]): number {
  if (others.length === 0) return 1
  const ratio = (of: (m: FrameMeasures) => number) => of(own) / Math.max(1e-6, median(others.map(of)))
  return Math.sqrt(ratio(laplacianAmplitude) * ratio((m) => m.gradientP95))
}

/** Sum of the squares of the Laplacian's mask: what noise of σ = 1 adds to its variance. */
const LAPLACIAN_NOISE = 20
/** Of the variance, left at least: the noise is an estimate, and in flat pictures nearly all there is. */
const MIN_SIGNAL = 0.25

function laplacianAmplitude({ laplacianVariance, noiseSigma }: FrameMeasures): number {
  const signal = laplacianVariance - LAPLACIAN_NOISE * noiseSigma * noiseSigma
  return Math.sqrt(Math.max(signal, MIN_SIGNAL * laplacianVariance))
}

function median(values: number[]): number {
  const sorted = values.sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
