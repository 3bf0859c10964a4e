/**
 * Chance that is the same every time, for tests and for what is trained on made data.
 */

export type Random = () => number

/** 0 ≤ value < 1; mulberry32 (public domain, T. Ettinger). */
export function randomOf(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
