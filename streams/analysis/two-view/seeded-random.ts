/**
 * Numbers that look random and are the same each time. Pure.
 * Seeds come from the data, so that a recording is judged alike on every machine and in every order.
 */
import type { Matches } from './matches.ts'

/** FNV-1a (RFC 9923's 32-bit hash) over the places of up to 16 matches, spread evenly, in 1/16 px. */
export function seedOf(matches: Matches): number {
  let hash = 0x811c9dc5 ^ matches.count
  const step = Math.max(1, Math.floor(matches.count / 16))
  for (let i = 0; i < matches.count; i += step) {
    for (const value of [matches.x1[i]!, matches.y1[i]!, matches.x2[i]!, matches.y2[i]!]) {
      hash = Math.imul(hash ^ (Math.round(16 * value) | 0), 0x01000193)
    }
  }
  return hash >>> 0
}

/** Whole numbers in [0, n) (xorshift32, Marsaglia, "Xorshift RNGs", 2003). */
export function randomIndex(seed: number): (n: number) => number {
  let state = seed === 0 ? 1 : seed
  return (n) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return Math.floor(((state >>> 0) / 4294967296) * n)
  }
}
