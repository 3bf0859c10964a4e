/**
 * Which pictures to compare with which: each with its neighbours in time, and with those far away that look alike (the camera
 * came back). Pure. All pairs of a few hundred pictures would take minutes.
 */
import { type BinaryFeatures, matchFeatures } from './binary-features.ts'

/** Each picture is compared with so many after it. */
const NEIGHBOURS = 6
/** Two that are farther apart are looked at with this many of the strongest points of one … */
const PROBES = 60
/** … and compared in full when so many of them are found again. */
const LIKE = 8
/** Such pairs that are compared in full, for each picture at most; the most alike. */
const RETURNS = 4

/** Pairs of indices, a < b, ascending. */
export function candidatePairs(pictures: readonly BinaryFeatures[]): (readonly [number, number])[] {
  const pairs: (readonly [number, number])[] = []
  for (let a = 0; a < pictures.length; a++) {
    const near = Array.from({ length: NEIGHBOURS }, (_, n) => a + 1 + n).filter((b) => b < pictures.length)
    const far: { b: number; like: number }[] = []
    for (let b = a + NEIGHBOURS + 1; b < pictures.length; b++) {
      const like = matchFeatures(pictures[a]!, pictures[b]!, PROBES).length / 2
      if (like >= LIKE) far.push({ b, like })
    }
    far.sort((one, other) => other.like - one.like || one.b - other.b)
    const returns = far.slice(0, RETURNS).map(({ b }) => b)
    for (const b of [...near, ...returns].sort((one, other) => one - other)) pairs.push([a, b])
  }
  return pairs
}
