/**
 * A model through matches of which some are wrong. Pure, and the same result each time: the seed comes from the matches.
 * LO-RANSAC (Chum, Matas and Kittler, "Locally optimized RANSAC", DAGM 2003) with MSAC's truncated cost (Torr and Zisserman,
 * CVIU 2000), and as many rounds as the share of good matches asks for.
 */
import { FUNDAMENTAL_SAMPLE, fitFundamental, fundamentalsOfSeven, sampsonErrors } from './fundamental.ts'
import { fitHomography, HOMOGRAPHY_SAMPLE, homographyErrors, homographyOfFour } from './homography.ts'
import { type Matches, normalise, subset } from './matches.ts'
import { invert, type Mat3, multiply, transpose, unit } from './matrix.ts'
import { randomIndex, seedOf } from './seeded-random.ts'

/** Chance that no sample without a wrong match was drawn. */
const FAILURE = 0.001
/** Fits to the good matches after each better sample. */
const LOCAL_ROUNDS = 3

export interface RobustFit {
  /** Norm 1. In px: of H, x2 ∝ H·x1; of F, x2ᵀ·F·x1 = 0. */
  model: Mat3
  /** 1: within the threshold. */
  inliers: Uint8Array
  inlierCount: number
  /** Squared error of each match, px². */
  errors: Float64Array
}

interface Estimator {
  sample: number
  solve(matches: Matches, sample: Int32Array): Mat3[]
  refit(matches: Matches): Mat3 | undefined
  measure(matches: Matches, model: Mat3, out: Float64Array): void
  /** From the normalised frame to px. */
  restore(model: Mat3, to1: Mat3, to2: Mat3): Mat3
}

const homographies: Estimator = {
  sample: HOMOGRAPHY_SAMPLE,
  solve: homographyOfFour,
  refit: fitHomography,
  measure: homographyErrors,
  restore: (model, to1, to2) => unit(multiply(multiply(invert(to2)!, model), to1)),
}

const fundamentals: Estimator = {
  sample: FUNDAMENTAL_SAMPLE,
  solve: fundamentalsOfSeven,
  refit: fitFundamental,
  measure: sampsonErrors,
  restore: (model, to1, to2) => unit(multiply(multiply(transpose(to2), model), to1)),
}

export interface FitOptions {
  /** Distance up to which a match is good, px. */
  thresholdPx: number
  /** Samples at most. */
  maxRounds: number
}

/** `undefined` with fewer than four matches, or where no sample fixes one. */
export function robustHomography(matches: Matches, options: FitOptions): RobustFit | undefined {
  return fit(matches, homographies, options)
}

/** `undefined` with fewer than eight matches, or where no sample fixes one. */
export function robustFundamental(matches: Matches, options: FitOptions): RobustFit | undefined {
  return matches.count <= FUNDAMENTAL_SAMPLE ? undefined : fit(matches, fundamentals, options)
}

function fit(matches: Matches, estimator: Estimator, { thresholdPx, maxRounds }: FitOptions): RobustFit | undefined {
  if (matches.count < estimator.sample) return undefined
  const { matches: normal, to1, to2, scale } = normalise(matches)
  const limit = (thresholdPx * scale) ** 2
  const random = randomIndex(seedOf(matches))
  const sample = new Int32Array(estimator.sample)
  const errors = new Float64Array(matches.count)
  let best: { model: Mat3; cost: number } | undefined
  let rounds = maxRounds
  for (let round = 0; round < rounds; round++) {
    draw(sample, matches.count, random)
    for (const model of estimator.solve(normal, sample)) {
      const cost = costOf(normal, estimator, model, limit, errors)
      if (best && cost >= best.cost) continue
      best = improve(normal, estimator, { model, cost }, limit, errors)
      rounds = Math.min(
        maxRounds,
        roundsFor(countWithin(normal, estimator, best.model, limit, errors) / matches.count, estimator.sample),
      )
    }
  }
  if (!best) return undefined
  const inlierCount = countWithin(normal, estimator, best.model, limit, errors)
  const inliers = Uint8Array.from(errors, (error) => (error <= limit ? 1 : 0))
  return {
    model: estimator.restore(best.model, to1, to2),
    inliers,
    inlierCount,
    errors: errors.map((error) => error / scale ** 2),
  }
}

/** Fits to what is within the threshold, as long as that makes it better. */
function improve(
  matches: Matches,
  estimator: Estimator,
  start: { model: Mat3; cost: number },
  limit: number,
  errors: Float64Array,
): { model: Mat3; cost: number } {
  let best = start
  for (let round = 0; round < LOCAL_ROUNDS; round++) {
    estimator.measure(matches, best.model, errors)
    const good = Uint8Array.from(errors, (error) => (error <= limit ? 1 : 0))
    const model = estimator.refit(subset(matches, good))
    if (!model) return best
    const cost = costOf(matches, estimator, model, limit, errors)
    if (cost >= best.cost) return best
    best = { model, cost }
  }
  return best
}

function costOf(matches: Matches, estimator: Estimator, model: Mat3, limit: number, errors: Float64Array): number {
  estimator.measure(matches, model, errors)
  let cost = 0
  for (let i = 0; i < errors.length; i++) cost += Math.min(errors[i]!, limit)
  return cost
}

function countWithin(matches: Matches, estimator: Estimator, model: Mat3, limit: number, errors: Float64Array): number {
  estimator.measure(matches, model, errors)
  let count = 0
  for (const error of errors) if (error <= limit) count++
  return count
}

function roundsFor(share: number, sample: number): number {
  const clean = share ** sample
  if (clean >= 1) return 1
  return clean <= 0 ? Number.POSITIVE_INFINITY : Math.ceil(Math.log(FAILURE) / Math.log(1 - clean))
}

/** Different numbers below `count`. */
function draw(sample: Int32Array, count: number, random: (n: number) => number): void {
  for (let k = 0; k < sample.length; k++) {
    let pick = random(count)
    while (sample.subarray(0, k).includes(pick)) pick = random(count)
    sample[k] = pick
  }
}
