/**
 * How alike embeddings are. Pure; embeddings are L2-normalised.
 */

/** In double precision, in order of the components: anybody can compute the same number again. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** Cosine to the nearest of `others`; -Infinity without any. */
export function nearest(embedding: Float32Array, others: readonly Float32Array[]): number {
  return others.reduce((best, other) => Math.max(best, cosine(embedding, other)), Number.NEGATIVE_INFINITY)
}

/** The one that is most alike to all the others: unlike their mean it is a real one, also when they are two people's. */
export function medoid<T extends { embedding: Float32Array }>(items: readonly T[]): T | undefined {
  let best: { item: T; sum: number } | undefined
  for (const item of items) {
    const sum = items.reduce((total, other) => total + cosine(item.embedding, other.embedding), 0)
    if (!best || sum > best.sum) best = { item, sum }
  }
  return best?.item
}
