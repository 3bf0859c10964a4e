/**
 * What an incremental reconstruction would register, played through on tracks alone: no camera is solved for. Pure.
 * As COLMAP's mapper goes (Schönberger and Frahm, Structure-from-Motion Revisited, CVPR 2016): a pair with many points and a wide
 * angle begins; the picture that sees most points of the model is next; a point is in the model once two registered pictures see
 * it under a wide enough angle. COLMAP's own limits where it has them.
 */
import type { PointTrack } from './point-tracks.ts'

/**
 * COLMAP follows about five points where two of ours are followed: SIFT in the whole picture against two thousand ORB points
 * (a rendered street of 23 keyframes, pairs of neighbours).
 */
const POINTS_FOR_ONE = 2.5
/** Points of the model that a picture must see to be registered (COLMAP abs_pose_min_num_inliers). */
const MIN_SEEN = 30 / POINTS_FOR_ONE
/** The pair that begins has at least so many points (COLMAP init_min_num_inliers). */
const MIN_INITIAL = 100 / POINTS_FOR_ONE
/** Of matches that tracks promise, about so many survive triangulation and pose: the promise is discounted. */
const SURVIVAL = 0.5
/** Least angle at which a point is triangulated, degrees (COLMAP filter_min_tri_angle). */
const MIN_ANGLE_DEG = 1.5
/** Beginnings that are tried; the best model counts. */
const BEGINNINGS = 5

export interface RegistrationForecast {
  /** Pictures that would be registered, ascending. */
  registered: number[]
  /** Points of the model in the end. */
  points: number
  /** Pictures a point of the model is seen in, mean. */
  meanTrackLength: number
}

/** `pictures`: how many there are; `taken`: which of them take part, all unless told otherwise. */
export function forecastRegistration(
  pictures: number,
  tracks: readonly PointTrack[],
  taken: (picture: number) => boolean = () => true,
): RegistrationForecast {
  const used = tracks.flatMap((track) => {
    const seen = track.pictures.filter(taken)
    return seen.length > 1 && track.angleDeg >= MIN_ANGLE_DEG ? [seen] : []
  })
  const byPicture: number[][] = Array.from({ length: pictures }, () => [])
  for (const [track, seen] of used.entries()) for (const picture of seen) byPicture[picture]!.push(track)
  let best: RegistrationForecast = { registered: [], points: 0, meanTrackLength: 0 }
  for (const [a, b] of beginnings(pictures, used)) {
    if (best.registered.includes(a) && best.registered.includes(b)) continue
    const model = grow(a, b, used, byPicture)
    if (model.registered.length > best.registered.length) best = model
  }
  return best
}

/** Pairs with most common points, best first. */
function beginnings(pictures: number, used: readonly (readonly number[])[]): (readonly [number, number])[] {
  const common = new Int32Array(pictures * pictures)
  for (const seen of used) {
    for (let n = 0; n < seen.length; n++) {
      for (let m = n + 1; m < seen.length; m++) common[seen[n]! * pictures + seen[m]!]!++
    }
  }
  const pairs: number[] = []
  for (const [pair, count] of common.entries()) if (count * SURVIVAL >= MIN_INITIAL) pairs.push(pair)
  return pairs
    .sort((one, other) => common[other]! - common[one]! || one - other)
    .slice(0, BEGINNINGS)
    .map((pair) => [Math.floor(pair / pictures), pair % pictures])
}

function grow(a: number, b: number, used: readonly (readonly number[])[], byPicture: readonly number[][]) {
  const registered = new Set<number>()
  const sightings = new Int32Array(used.length)
  /** Points of the model that each picture sees. */
  const seesPoints = new Int32Array(byPicture.length)
  const register = (picture: number) => {
    registered.add(picture)
    for (const track of byPicture[picture]!) {
      sightings[track]!++
      if (sightings[track] === 2) for (const other of used[track]!) seesPoints[other]!++
    }
  }
  register(a)
  register(b)
  for (let next = mostSeeing(seesPoints, registered); next !== undefined; next = mostSeeing(seesPoints, registered))
    register(next)
  const lengths = sightings.filter((count) => count >= 2)
  const sum = lengths.reduce((total, count) => total + count, 0)
  return {
    registered: [...registered].sort((one, other) => one - other),
    points: lengths.length,
    meanTrackLength: lengths.length === 0 ? 0 : sum / lengths.length,
  }
}

function mostSeeing(seesPoints: Int32Array, registered: ReadonlySet<number>): number | undefined {
  let best: number | undefined
  for (const [picture, points] of seesPoints.entries()) {
    if (registered.has(picture) || points * SURVIVAL < MIN_SEEN) continue
    if (best === undefined || points > seesPoints[best]!) best = picture
  }
  return best
}
