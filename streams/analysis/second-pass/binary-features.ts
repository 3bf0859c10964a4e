/**
 * Points of a picture with binary descriptors, and which of two pictures are the same. Pure.
 * Mutual nearest neighbours by Hamming distance whose second nearest is clearly farther (Lowe, IJCV 2004, 7.1; for binary
 * descriptors Rublee et al., ORB, ICCV 2011).
 */

/** Words of 32 bits in a descriptor: 256 bits. */
export const WORDS = 8

export interface BinaryFeatures {
  /** px of the picture, [x, y] each: 2 × n; strongest first. */
  points: Float32Array
  /** `WORDS` × n. */
  descriptors: Int32Array
}

/** Bits that may differ; unrelated descriptors differ in 128 ± 8·√2 and more. */
const MAX_DISTANCE = 64
const RATIO = 0.8

/** Matches as [in a, in b] each: 2 × n, in order of a. `first`: only so many of the strongest of a. */
export function matchFeatures(a: BinaryFeatures, b: BinaryFeatures, first = Number.POSITIVE_INFINITY): Int32Array {
  const countA = Math.min(first, a.points.length / 2)
  const countB = b.points.length / 2
  const bestOfB = new Int32Array(countB).fill(-1)
  const distanceOfB = new Int32Array(countB).fill(WORDS * 32 + 1)
  const bestOfA = new Int32Array(countA).fill(-1)
  for (let i = 0; i < countA; i++) {
    let best = WORDS * 32 + 1
    let second = best
    let at = -1
    for (let j = 0; j < countB; j++) {
      const limit = Math.max(second, distanceOfB[j]!)
      const distance = hamming(a.descriptors, i * WORDS, b.descriptors, j * WORDS, limit)
      if (distance < distanceOfB[j]!) {
        distanceOfB[j] = distance
        bestOfB[j] = i
      }
      if (distance < best) {
        second = best
        best = distance
        at = j
      } else if (distance < second) second = distance
    }
    if (best <= MAX_DISTANCE && best < RATIO * second) bestOfA[i] = at
  }
  const matches: number[] = []
  for (const [i, j] of bestOfA.entries()) if (j >= 0 && bestOfB[j] === i) matches.push(i, j)
  return Int32Array.from(matches)
}

/** Gives up beyond `limit`: the number is then some number above it. */
function hamming(a: Int32Array, atA: number, b: Int32Array, atB: number, limit: number): number {
  let bits = 0
  for (let word = 0; word < WORDS; word += 2) {
    bits += ones(a[atA + word]! ^ b[atB + word]!) + ones(a[atA + word + 1]! ^ b[atB + word + 1]!)
    if (bits > limit) return bits
  }
  return bits
}

/** Set bits of a 32-bit word (Warren, Hacker's Delight, 5-1). */
function ones(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555)
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333)
  bits = (bits + (bits >>> 4)) & 0x0f0f0f0f
  return Math.imul(bits, 0x01010101) >>> 24
}
