/**
 * What two views of a scene are to each other: a turn on the spot, a plane, or true parallax. Pure.
 */
import type { Size } from '../../../core/geometry.ts'
import { gric, modelShapes } from './gric.ts'
import { symmetricTransferErrors } from './homography.ts'
import type { Matches } from './matches.ts'
import { robustFundamental, robustHomography } from './robust-fit.ts'
import { fitTurn } from './turn.ts'

/** Deviations of the noise up to which a match is good: 95 % of the good ones (Hartley and Zisserman, § 4.7.1). */
const THRESHOLD_DEVIATIONS = 2.5
const MAX_ROUNDS = { homography: 60, fundamental: 120 }
/** Fewer matches tell no model from another. */
export const MIN_VERDICT_MATCHES = 20
/**
 * A turn may be worse by this share of what the matches could cost at most: lenses distort, and a hand that turns moves by
 * some centimetres.
 */
const TURN_SLACK = 0.02

export interface ViewVerdict {
  /** By GRIC. `H`: a homography says it all, as in a turn or before a plane. */
  model: 'H' | 'F' | 'none'
  /** `H`, and of a camera that turned on the spot: the views have no baseline. */
  turned: boolean
  /** Median distance to where the homography puts a match, px. */
  parallaxPx: number
  gric: { homography: number; fundamental: number; turn: number }
}

const NONE: ViewVerdict = {
  model: 'none',
  turned: false,
  parallaxPx: 0,
  gric: { homography: 0, fundamental: 0, turn: 0 },
}

/** `noisePx`: deviation of a place's coordinate. The pictures are of one `size`. */
export function judgeViews(matches: Matches, size: Size, noisePx: number): ViewVerdict {
  if (matches.count < MIN_VERDICT_MATCHES) return NONE
  const thresholdPx = THRESHOLD_DEVIATIONS * noisePx
  const h = robustHomography(matches, { thresholdPx, maxRounds: MAX_ROUNDS.homography })
  const f = robustFundamental(matches, { thresholdPx, maxRounds: MAX_ROUNDS.fundamental })
  if (!h || !f) return NONE
  const turn = fitTurn(matches, size, thresholdPx)
  // What neither explains is wrong, and speaks for neither; counted, it would speak for F, which lets more pass.
  const known = Uint8Array.from(h.inliers, (fits, i) => fits | f.inliers[i]!)
  const of = (errors: Float64Array) => errors.filter((_, i) => known[i] === 1)
  const scores = {
    homography: gric(of(h.errors), modelShapes.homography, noisePx),
    fundamental: gric(of(f.errors), modelShapes.fundamental, noisePx),
    turn: gric(of(turn.errors), modelShapes.turn, noisePx),
  }
  const distances = new Float64Array(matches.count)
  symmetricTransferErrors(matches, h.model, distances)
  const distancesOfKnown = of(distances)
  const model = Math.min(scores.homography, scores.turn) <= scores.fundamental ? 'H' : 'F'
  const turned = model === 'H' && scores.turn <= scores.homography + TURN_SLACK * worst(distancesOfKnown.length)
  return { model, turned, parallaxPx: medianDistance(distancesOfKnown), gric: scores }
}

/** Score of a homography that fits nothing. */
function worst(count: number): number {
  return gric(new Float64Array(count).fill(Number.POSITIVE_INFINITY), modelShapes.homography, 1)
}

/** Of squared distances there and back, summed. */
function medianDistance(squares: Float64Array): number {
  const sorted = squares.slice().sort()
  return Math.sqrt(sorted[sorted.length >> 1]! / 2)
}
