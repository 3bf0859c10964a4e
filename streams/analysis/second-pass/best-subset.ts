/**
 * The smallest set of pictures that keeps what all of them give: coverage, angles, continuity. Pure.
 * Greedy removal, the picture that is missed least first: each point of the scene should be seen in three pictures, and the
 * third is worth less than the second. A picture stays when its loss would cost points, or register fewer of those that stay.
 */
import type { PointTrack } from './point-tracks.ts'
import { forecastRegistration } from './registration-forecast.ts'

/** What the first, second, … sighting of a point is worth; later ones nothing. Two give depth, three give certainty. */
const WORTH = [0, 1, 0.5, 0.15, 0.05]
/** A point seen under a wide angle is worth more, up to this, degrees. */
const FULL_ANGLE_DEG = 8
/** Of the worth of all pictures, so much may be lost unless a number is asked for. */
const LOSS = 0.05

export interface SubsetOptions {
  /** No more than so many; `null`: as many as are needed. */
  max: number | null
  /** 0–1 for each picture: at equal loss the worse one goes. */
  scores: readonly number[]
}

/** Indices of the pictures that stay, ascending. Deterministic. */
export function bestSubset(pictures: number, tracks: readonly PointTrack[], { max, scores }: SubsetOptions): number[] {
  const kept = new Set(Array.from({ length: pictures }, (_, picture) => picture))
  const counts = Int32Array.from(tracks, ({ pictures: seen }) => seen.length)
  const byPicture: number[][] = Array.from({ length: pictures }, () => [])
  for (const [track, { pictures: seen }] of tracks.entries())
    for (const picture of seen) byPicture[picture]!.push(track)
  const weight = tracks.map(({ angleDeg }) => 0.25 + 0.75 * Math.min(1, angleDeg / FULL_ANGLE_DEG))
  const lossOf = (picture: number) =>
    byPicture[picture]!.reduce(
      (sum, track) => sum + weight[track]! * (worth(counts[track]!) - worth(counts[track]! - 1)),
      0,
    )
  const all = tracks.reduce((sum, { pictures: seen }, track) => sum + weight[track]! * worth(seen.length), 0)
  let registered = forecastRegistration(pictures, tracks).registered
  const needed = new Set<number>()
  let lost = 0
  while (kept.size > 2) {
    const forced = max !== null && kept.size > max
    const spare = [...kept].filter((picture) => !needed.has(picture))
    const candidates = spare.length === 0 && forced ? [...kept] : spare
    const least = candidates
      .map((picture) => {
        const score = scores[picture] ?? 1
        return { picture, score, loss: lossOf(picture) * (0.5 + 0.5 * score) }
      })
      .reduce<Candidate | undefined>((best, one) => (best === undefined || isLess(one, best) ? one : best), undefined)
    if (!least || (!forced && lost + lossOf(least.picture) > LOSS * all)) break
    const without = forecastRegistration(
      pictures,
      tracks,
      (picture) => picture !== least.picture && kept.has(picture),
    ).registered
    const expected = registered.length - (registered.includes(least.picture) ? 1 : 0)
    if (without.length < expected && spare.length > 0) {
      needed.add(least.picture)
      continue
    }
    registered = without
    lost += lossOf(least.picture)
    kept.delete(least.picture)
    for (const track of byPicture[least.picture]!) counts[track]!--
  }
  return [...kept].sort((one, other) => one - other)
}

interface Candidate {
  picture: number
  score: number
  /** Weighted by the score. */
  loss: number
}

function isLess(one: Candidate, other: Candidate): boolean {
  return one.loss < other.loss || (one.loss === other.loss && one.score < other.score)
}

function worth(sightings: number): number {
  let sum = 0
  for (let n = 0; n < Math.min(sightings, WORTH.length); n++) sum += WORTH[n]!
  return sum
}
