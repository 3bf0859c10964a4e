/**
 * Every comparison that the data allows, as the matcher makes it: a probe against a person, by the nearest of the person's
 * embeddings. Mated ("genuine") and non-mated ("impostor") in the words of ISO/IEC 19795-1. Pure.
 */

import { cosine, nearest } from '../../streams/analysis/likeness.ts'
import { Template } from '../../streams/analysis/template.ts'
import type { CalibratedTrack, CalibrationData } from './calibration-data.ts'

/** Parallel arrays: the score of a comparison, and the clusters (people) it is of. */
export interface Scores {
  values: number[]
  a: number[]
  b: number[]
}

/** Where comparisons come from; what stands behind each is told in the report. */
export interface Comparisons {
  genuine: { pictures: Scores; namedTracks: Scores; withinTracks: Scores }
  impostor: { pictures: Scores; namedTracks: Scores; tracksTogether: Scores }
  /** Number of clusters: people, and of tracks without a name their anonymous id or themselves. */
  clusters: number
}

/** Shorter overlaps may be one face that was found twice for a moment. */
const MIN_OVERLAP_MS = 1000

export function compareAll({ people, tracks }: CalibrationData): Comparisons {
  const clusters = new Map(people.map(({ subject }, index) => [subject, index]))
  const clusterOf = (track: CalibratedTrack) => {
    const key =
      track.subject ?? (track.anonymous === undefined ? `track ${track.trackId}` : `unknown ${track.anonymous}`)
    const known = clusters.get(key) ?? clusters.size
    clusters.set(key, known)
    return known
  }
  const result: Omit<Comparisons, 'clusters'> = {
    genuine: { pictures: none(), namedTracks: none(), withinTracks: none() },
    impostor: { pictures: none(), namedTracks: none(), tracksTogether: none() },
  }
  for (const [a, person] of people.entries()) {
    for (const [index, probe] of person.embeddings.entries()) {
      add(result.genuine.pictures, nearest(probe, otherSources(person, index)), a, a)
      for (const [b, other] of people.entries()) {
        if (b !== a) add(result.impostor.pictures, nearest(probe, other.embeddings), a, b)
      }
    }
  }
  const seen = tracks.filter(({ embeddings }) => embeddings.length > 0)
  const probes = new Map(seen.map((track) => [track, templateOf(track)]))
  for (const track of seen) {
    const a = clusterOf(track)
    const probe = probes.get(track)!
    for (const [index, embedding] of track.embeddings.entries()) {
      add(result.genuine.withinTracks, nearest(embedding, track.embeddings.toSpliced(index, 1)), a, a)
    }
    if (track.subject === undefined) continue
    for (const [b, person] of people.entries()) {
      const own = person.subject === track.subject
      add(own ? result.genuine.namedTracks : result.impostor.namedTracks, nearestTo(probe, person.embeddings), a, b)
    }
  }
  for (const [one, other] of together(seen)) {
    const [a, b] = [clusterOf(one), clusterOf(other)]
    add(result.impostor.tracksTogether, nearestTo(probes.get(one)!, other.embeddings), a, b)
    add(result.impostor.tracksTogether, nearestTo(probes.get(other)!, one.embeddings), b, a)
  }
  return { ...result, clusters: clusters.size }
}

/** A person's embeddings apart from those of the same picture or video, which would be too easy. */
function otherSources({ embeddings, sources }: CalibrationData['people'][number], index: number): Float32Array[] {
  return embeddings.filter((_, other) => other !== index && (!sources || sources[other] !== sources[index]))
}

/** Pairs that one camera saw at the same time: two people, whatever they look like. */
function* together(tracks: readonly CalibratedTrack[]): Generator<[CalibratedTrack, CalibratedTrack]> {
  for (const [index, one] of tracks.entries()) {
    for (const other of tracks.slice(index + 1)) {
      const overlapMs = Math.min(one.endMs, other.endMs) - Math.max(one.startMs, other.startMs)
      if (one.camera === other.camera && overlapMs >= MIN_OVERLAP_MS) yield [one, other]
    }
  }
}

function templateOf(track: CalibratedTrack): Template {
  const template = new Template()
  for (const embedding of track.embeddings) template.add(embedding, 1)
  return template
}

function nearestTo(probe: Template, embeddings: readonly Float32Array[]): number {
  return embeddings.reduce((best, each) => Math.max(best, probe.cosine(each)), Number.NEGATIVE_INFINITY)
}

function none(): Scores {
  return { values: [], a: [], b: [] }
}

/** Without anything to compare with there is no comparison. */
function add(scores: Scores, value: number, a: number, b: number): void {
  if (!Number.isFinite(value)) return
  scores.values.push(value)
  scores.a.push(a)
  scores.b.push(b)
}

/** One list of several. */
export function pooled(...lists: readonly Scores[]): Scores {
  return {
    values: lists.flatMap(({ values }) => values),
    a: lists.flatMap(({ a }) => a),
    b: lists.flatMap(({ b }) => b),
  }
}

export interface NearPair {
  a: string
  b: string
  /** Cosine of their nearest embeddings. */
  similarity: number
}

/** The pairs of different people who could be taken for each other, most alike first. */
export function nearestPairs({ people }: CalibrationData, limit: number): NearPair[] {
  const pairs = people.flatMap((one, index) =>
    people.slice(index + 1).map((other): NearPair => {
      const scores = one.embeddings.map((each) => Math.max(...other.embeddings.map((theirs) => cosine(each, theirs))))
      return { a: one.subject, b: other.subject, similarity: Math.max(...scores) }
    }),
  )
  return pairs
    .filter(({ similarity }) => Number.isFinite(similarity))
    .sort((one, other) => other.similarity - one.similarity)
    .slice(0, limit)
}
