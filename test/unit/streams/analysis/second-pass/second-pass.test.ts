/** Tracks by union-find, what would register, and which pictures may go: on walks whose truth is known. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bestSubset } from '../../../../../streams/analysis/second-pass/best-subset.ts'
import {
  joinTracks,
  type PointTrack,
  type VerifiedPair,
} from '../../../../../streams/analysis/second-pass/point-tracks.ts'
import { forecastRegistration } from '../../../../../streams/analysis/second-pass/registration-forecast.ts'

const pair = (a: number, b: number, matches: number[], angle = 3): VerifiedPair => ({
  a,
  b,
  matches: Int32Array.from(matches),
  anglesDeg: new Float32Array(matches.length / 2).fill(angle),
})

/** Along a wall: each picture sees the points of its stretch; `stepPoints` of new ones a picture. */
function walk(
  pictures: number,
  { inSight = 200, stepPoints = 40, angle = 4, blind = [] as number[] } = {},
): PointTrack[] {
  const total = inSight + stepPoints * (pictures - 1)
  return Array.from({ length: total }, (_, point) => ({
    pictures: Array.from({ length: pictures }, (_, picture) => picture).filter(
      (picture) => point >= picture * stepPoints && point < picture * stepPoints + inSight && !blind.includes(picture),
    ),
    angleDeg: angle,
  })).filter(({ pictures: seen }) => seen.length > 1)
}

describe('tracks', () => {
  it('joins what is one point, over pictures that were never matched with each other', () => {
    const tracks = joinTracks([2, 2, 2], [pair(0, 1, [0, 1], 2), pair(1, 2, [1, 0], 5)])
    expect(tracks).toEqual([{ pictures: [0, 1, 2], angleDeg: 5 }])
  })

  it('gives up a track that meets one picture twice', () => {
    const pairs = [pair(0, 1, [0, 0]), pair(1, 2, [0, 0]), pair(0, 2, [1, 0])]
    expect(joinTracks([2, 1, 1], pairs)).toEqual([])
  })

  it('is the same whatever the order of the pairs, and never mixes points', () => {
    const sightings = fc.array(fc.uniqueArray(fc.nat(5), { minLength: 2 }), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(sightings, fc.nat(), (points, seed) => {
        const seen = points.map((pictures) => [...pictures].sort((one, other) => one - other))
        // Feature n of each picture is point n.
        const pairs = seen.flatMap((pictures, point) =>
          pictures.slice(1).map((picture, n) => pair(pictures[n]!, picture, [point, point])),
        )
        const shuffled = pairs.map((one, n) => ({ one, at: (n * 7919 + seed) % 104729 })).sort((a, b) => a.at - b.at)
        const features = Array.from({ length: 6 }, () => points.length)
        const found = joinTracks(
          features,
          shuffled.map(({ one }) => one),
        ).map(({ pictures }) => pictures.join())
        expect(found.sort()).toEqual(seen.map((pictures) => pictures.join()).sort())
      }),
    )
  })
})

describe('forecast', () => {
  it('registers a walk whole', () => {
    const { registered, meanTrackLength } = forecastRegistration(12, walk(12))
    expect(registered).toHaveLength(12)
    expect(meanTrackLength).toBeGreaterThan(3)
  })

  it('ends where too few points go on: the longer half counts', () => {
    const first = walk(5)
    const second = walk(8).map(({ pictures, angleDeg }) => ({ pictures: pictures.map((n) => n + 5), angleDeg }))
    const bridge = Array.from({ length: 40 }, () => ({ pictures: [4, 5], angleDeg: 4 }))
    expect(forecastRegistration(13, [...first, ...second, ...bridge]).registered).toEqual([5, 6, 7, 8, 9, 10, 11, 12])
  })

  it('a turn on the spot registers nothing: no angle, no point', () => {
    expect(forecastRegistration(6, walk(6, { angle: 0.2 })).registered).toEqual([])
  })

  it('leaves out a picture that sees nothing', () => {
    expect(forecastRegistration(8, walk(8, { blind: [3] })).registered).toEqual([0, 1, 2, 4, 5, 6, 7])
  })
})

describe('best subset', () => {
  const scores = (n: number) => new Array<number>(n).fill(1)

  it('thins where pictures crowd, and keeps every other registered', () => {
    const crowded = walk(40, { stepPoints: 10 })
    const kept = bestSubset(40, crowded, { max: null, scores: scores(40) })
    expect(kept.length).toBeLessThan(25)
    const { registered } = forecastRegistration(40, crowded, (picture) => kept.includes(picture))
    expect(registered).toEqual(kept)
  })

  it('takes nothing where each picture is needed', () => {
    const sparse = walk(8, { stepPoints: 110 })
    expect(bestSubset(8, sparse, { max: null, scores: scores(8) })).toHaveLength(8)
  })

  it('keeps a number when one is asked for, evenly in what they show', () => {
    const kept = bestSubset(30, walk(30, { stepPoints: 20 }), { max: 10, scores: scores(30) })
    expect(kept).toHaveLength(10)
    const gaps = kept.slice(1).map((picture, n) => picture - kept[n]!)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(9)
  })

  it('of two that show the same the worse one goes', () => {
    const twice = walk(9).map(({ pictures, angleDeg }) => ({
      pictures: pictures.flatMap((n) => [2 * n, 2 * n + 1]),
      angleDeg,
    }))
    const worse = Array.from({ length: 18 }, (_, n) => (n % 2 === 0 ? 1 : 0.4))
    const kept = bestSubset(18, twice, { max: 9, scores: worse })
    expect(kept.filter((n) => n % 2 === 0).length).toBeGreaterThanOrEqual(7)
  })
})
