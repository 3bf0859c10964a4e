/**
 * Numbers of any range onto 0–1. Pure; session host only.
 */

/** 0 at `from` and before, 1 at `to` and beyond, straight between; `from` may be the larger one. */
export function ramp(value: number, from: number, to: number): number {
  return Math.min(1, Math.max(0, (value - from) / (to - from)))
}

/** As `ramp`, along the logarithm: for what differs by factors. `from` and `to` are above 0. */
export function logRamp(value: number, from: number, to: number): number {
  return value <= 0 ? (from < to ? 0 : 1) : ramp(Math.log(value), Math.log(from), Math.log(to))
}

/** The mean of named parts by their weights; parts without a weight do not count, and weights without a part are renormalised away. */
export function weightedMean(
  parts: Readonly<Record<string, number>>,
  weights: Readonly<Record<string, number>>,
): number {
  let [sum, total] = [0, 0]
  for (const [name, part] of Object.entries(parts)) {
    const weight = weights[name] ?? 0
    sum += weight * part
    total += weight
  }
  return total > 0 ? sum / total : 0
}
