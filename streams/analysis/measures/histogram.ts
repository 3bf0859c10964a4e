/**
 * Quantiles of a histogram of whole numbers. Pure; session host only.
 */

/**
 * The `share` quantile, 0–1, of numbers that were rounded down into bins of width 1 from `offset` on: linear inside a bin. 0 of
 * nothing.
 */
export function quantile(histogram: Uint32Array, share: number, offset = 0): number {
  let total = 0
  for (let bin = 0; bin < histogram.length; bin++) total += histogram[bin]!
  const wanted = share * total
  let below = 0
  for (let bin = 0; bin < histogram.length; bin++) {
    const count = histogram[bin]!
    if (count > 0 && below + count >= wanted) return Math.max(0, bin + offset + (wanted - below) / count)
    below += count
  }
  return 0
}

/** Shannon entropy, bits. 0 of nothing. */
export function entropyBits(histogram: Uint32Array): number {
  let total = 0
  let weighted = 0
  for (let bin = 0; bin < histogram.length; bin++) {
    const count = histogram[bin]!
    if (count === 0) continue
    total += count
    weighted += count * Math.log2(count)
  }
  return total === 0 ? 0 : Math.max(0, Math.log2(total) - weighted / total)
}
