/**
 * What a candidate is worth as a picture, against its neighbours in time. Pure state: one running figure.
 * Blur is relative: a soft lens is soft in every picture, and the picture to take is the sharpest of its neighbours.
 */
import type { PictureFault, PictureScore, SelectionReason } from '../../../core/keyframe.ts'
import type { FrameMeasures } from '../../../core/measures.ts'
import type { Look } from './feature-tracker.ts'

/**
 * Sharpness below which a picture waits for a better one, and below which it is refused. Measured on rendered walks: 0.65 is a blur
 * of about 10 px in 960, 0.5 one of 15 to 20.
 */
const BLURRED_SHARPNESS = { poor: 0.65, refused: 0.5 }
/** Where gradients lean so much to one direction, points that are still followed lie on streaks, and say nothing of the others. */
const STREAKED = 0.2
/** With fewer points in common the whole picture is compared instead. */
const MIN_SHARPNESS_TRACKS = 20
/** A ratio of light to the picture before, either way: from here on the exposure is jumping, and from here on it is another light. */
const JUMP_RATIO = { poor: 1.12, refused: 1.35 }
/** The envelope of sharpness: up at once by half, down with this time constant, ms. A whip pan must not become the measure. */
const ENVELOPE_RISE = 0.5
const ENVELOPE_FALL_MS = 2500
/** Added to the light, by which contrast is divided: grey levels. */
const BLACK_LEVEL = 16
/** What noise of σ = 1 adds to the Laplacian's variance, and what is left of it at least. */
const LAPLACIAN_NOISE = 20
const MIN_SIGNAL = 0.25
/** See `Look.difference`. */
const SAME_LEVELS = 0.2
/** Quality above the sharpest of the past seconds says little. */
const MOST_SHARPNESS = 1.2

/** Faults that no neighbour makes good. */
const refusals: Partial<Record<PictureFault, SelectionReason>> = {
  dark: 'dark',
  bright: 'bright',
  flat: 'featureless',
  featureless: 'featureless',
}

export interface Worth {
  /** To compare neighbours by; 0–1.2. */
  quality: number
  /** Why it is not taken at all; `null` when it may be. */
  refused: SelectionReason | null
  /** Taken only if nothing better comes in time. */
  poor: boolean
  /** So blurred that what is not found again in it may still be there. */
  soft: boolean
  /** Of its points or its gradient, against the sharpest of the past second; 1 is sharp. */
  sharpness: number
  evidence: string
}

export interface WorthState {
  envelope: number
  ptsMs: number
}

export class Neighbourhood {
  #envelope = 0
  #ptsMs = 0

  /** `look` is `null` for a picture that has none before it. */
  judge(
    candidate: { ptsMs: number; score: PictureScore; measures: FrameMeasures },
    look: Look | null,
    minScore: number,
  ): Worth {
    const { score, measures } = candidate
    const byPicture = this.#relativeSharpness(candidate.ptsMs, measures)
    const tells = look !== null && look.sharpnessTracks >= MIN_SHARPNESS_TRACKS
    const byPoints = tells ? look.sharpness : byPicture
    const sharpness = measures.directionalBlur >= STREAKED ? Math.min(byPoints, byPicture) : byPoints
    const jump = look && look.sharpnessTracks > 0 ? Math.max(look.lightRatio, 1 / look.lightRatio) : 1
    const quality = (score.score * Math.min(MOST_SHARPNESS, sharpness) ** 2) / jump
    const soft = sharpness < BLURRED_SHARPNESS.poor
    const poor = soft || score.score < minScore || jump > JUMP_RATIO.poor || score.faults.length > 0
    const judged = { quality, poor, soft, sharpness }
    const fault = score.faults.find((name) => refusals[name])
    if (fault) {
      return { ...judged, refused: refusals[fault]!, evidence: `${fault}: mean luma ${measures.meanLuma.toFixed(0)}` }
    }
    if (look?.still && look.difference < SAME_LEVELS) {
      return { ...judged, refused: 'duplicate', evidence: `differs by ${look.difference.toFixed(2)} grey levels` }
    }
    if (sharpness < BLURRED_SHARPNESS.refused) {
      return { ...judged, refused: 'blurred', evidence: `sharpness ${sharpness.toFixed(2)} of its neighbours` }
    }
    if (jump > JUMP_RATIO.refused) {
      return { ...judged, refused: 'exposure', evidence: `light ${look!.lightRatio.toFixed(2)} of the picture before` }
    }
    return { ...judged, refused: null, evidence: `sharpness ${sharpness.toFixed(2)}, score ${score.score.toFixed(2)}` }
  }

  /** Another sequence: what was sharp there says nothing here. */
  reset(): void {
    this.#envelope = 0
  }

  save(): WorthState {
    return { envelope: this.#envelope, ptsMs: this.#ptsMs }
  }

  load(state: WorthState): void {
    this.#envelope = state.envelope
    this.#ptsMs = state.ptsMs
  }

  /**
   * Amplitude of the Laplacian and steepness of edges, relative to the light, against the sharpest of the past seconds: their
   * geometric mean, 1 is as sharp.
   */
  #relativeSharpness(ptsMs: number, measures: FrameMeasures): number {
    const { laplacianVariance, noiseSigma, gradientP95, meanLuma } = measures
    const signal = Math.max(laplacianVariance - LAPLACIAN_NOISE * noiseSigma ** 2, MIN_SIGNAL * laplacianVariance)
    const sharpness = Math.sqrt(Math.sqrt(signal) * gradientP95) / (meanLuma + BLACK_LEVEL)
    const before = this.#envelope
    const fall = 1 - Math.exp(-Math.max(0, ptsMs - this.#ptsMs) / ENVELOPE_FALL_MS)
    this.#envelope =
      before === 0 ? sharpness : before + (sharpness - before) * (sharpness > before ? ENVELOPE_RISE : fall)
    this.#ptsMs = ptsMs
    return before <= 0 ? 1 : sharpness / before
  }
}
