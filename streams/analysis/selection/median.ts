/** The middle of many numbers. Pure. */

/** Of the first `count` values, which it sorts in place; 0 of none. */
export function median(values: Float64Array, count: number): number {
  if (count === 0) return 0
  const sorted = values.subarray(0, count).sort()
  const middle = count >> 1
  return count % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
