/**
 * Whether two pictures see the same part of the scene, and under which angle. Pure.
 * Descriptors propose, geometry decides: a fundamental matrix, or a homography for a turn or a plane (GRIC), whichever says it
 * better.
 */
import type { Size } from '../../../core/geometry.ts'
import { pinhole } from '../two-view/camera.ts'
import type { Matches } from '../two-view/matches.ts'
import { relativePose } from '../two-view/relative-pose.ts'
import { robustFundamental, robustHomography } from '../two-view/robust-fit.ts'
import { fitTurn } from '../two-view/turn.ts'
import { judgeViews, type ViewVerdict } from '../two-view/view-verdict.ts'
import { type BinaryFeatures, matchFeatures } from './binary-features.ts'
import type { VerifiedPair } from './point-tracks.ts'

/** ORB's places are whole pixels of pyramid levels up to 3.6 times coarser. */
const NOISE_PX = 1.2
const FIT = { thresholdPx: 2.5 * NOISE_PX, maxRounds: 200 }
/** Fewer good matches are chance (COLMAP min_num_inliers is 15 for SIFT, which is more certain of each). */
const MIN_GOOD = 24
const DEGREES = 180 / Math.PI

export interface SeenPicture extends Size {
  features: BinaryFeatures
}

/** `undefined`: they share too little. Both pictures are of one size. */
export function verifyPair(a: number, b: number, one: SeenPicture, other: SeenPicture): VerifiedPair | undefined {
  const proposed = matchFeatures(one.features, other.features)
  const matches = placesOf(proposed, one.features, other.features)
  if (matches.count < MIN_GOOD) return undefined
  const verdict = judgeViews(matches, one, NOISE_PX)
  const fit = verdict.model === 'F' ? robustFundamental(matches, FIT) : robustHomography(matches, FIT)
  if (verdict.model === 'none' || !fit || fit.inlierCount < MIN_GOOD) return undefined
  const good = new Int32Array(2 * fit.inlierCount)
  let at = 0
  for (const [n, fits] of fit.inliers.entries()) {
    if (!fits) continue
    good[at++] = proposed[2 * n]!
    good[at++] = proposed[2 * n + 1]!
  }
  const angleDeg = angleOf(verdict, fit.model, matches, fit.inliers, one)
  return { a, b, matches: good, anglesDeg: new Float32Array(fit.inlierCount).fill(angleDeg) }
}

/**
 * One angle for the pair, degrees: that of single matches hangs on the focal length, which is assumed. A turn on the spot has
 * none. Before a plane F says nothing: there it is what the best turn leaves of the places, which is the least it can be.
 */
function angleOf(
  { model, turned }: ViewVerdict,
  fitted: Float64Array,
  matches: Matches,
  inliers: Uint8Array,
  size: Size,
): number {
  if (turned) return 0
  const camera = pinhole(size)
  if (model === 'H') {
    const left = fitTurn(matches, size, FIT.thresholdPx).errors.filter((_, n) => inliers[n] === 1)
    return Math.atan2(Math.sqrt(medianOf(left)), camera.focalPx) * DEGREES
  }
  const angles = relativePose(fitted, matches, inliers, camera)?.anglesRad
  return angles ? medianOf(angles) * DEGREES : 0
}

function medianOf(values: Float64Array): number {
  return values.toSorted()[values.length >> 1] ?? 0
}

function placesOf(pairs: Int32Array, one: BinaryFeatures, other: BinaryFeatures): Matches {
  const count = pairs.length / 2
  const place = (features: BinaryFeatures, side: number, axis: number) =>
    Float64Array.from({ length: count }, (_, n) => features.points[2 * pairs[2 * n + side]! + axis]!)
  return { count, x1: place(one, 0, 0), y1: place(one, 0, 1), x2: place(other, 1, 0), y2: place(other, 1, 1) }
}
