/**
 * Which embeddings of a person to keep when there is room for only a few: those that are least alike. Pure.
 */

/** Of L2-normalised vectors. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/**
 * At most `most` of them, in their order: while there are too many, one of the two that are most alike goes, the one that is
 * more alike to the others as well; of equal ones the later. Greedy, and deterministic.
 */
export function mostDiverse(embeddings: readonly Float32Array[], most: number): Float32Array[] {
  const kept = [...embeddings]
  while (kept.length > most) kept.splice(mostRedundant(kept), 1)
  return kept
}

function mostRedundant(kept: readonly Float32Array[]): number {
  let worst = { index: kept.length - 1, nearest: Number.NEGATIVE_INFINITY, sum: 0 }
  for (const [index, one] of kept.entries()) {
    const others = kept.filter((_, other) => other !== index).map((other) => cosine(one, other))
    const nearest = Math.max(...others)
    const sum = others.reduce((total, value) => total + value, 0)
    if (nearest > worst.nearest || (nearest === worst.nearest && sum >= worst.sum)) worst = { index, nearest, sum }
  }
  return worst.index
}
