/**
 * Which embeddings of a person are kept: the ones that cover all of them best. Pure.
 * Farthest-point selection (Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985): no embedding that
 * is given up lies farther from a kept one than twice what the best choice of as many could reach. The measure is the
 * chord, √(2 − 2·cosine): the bound needs a triangle inequality, which 1 − cosine does not have.
 */
import { cosine, medoid } from './likeness.ts'

/**
 * Embeddings kept of a person: as many as moments are taken of a video. Of 11 photographs of a person 8 leave none less
 * than 0.85 like a kept one (docs/decisions.md), and a search costs by the number that is kept.
 */
export const KEPT_EMBEDDINGS = 8

/**
 * Indices into `embeddings`, in rising order, `limit` at most. The first to be chosen is the one of the highest quality,
 * or without `qualities` the most typical; among equally far ones the earlier.
 */
export function diverseEmbeddings(
  embeddings: readonly Float32Array[],
  limit: number,
  qualities?: readonly number[],
): number[] {
  if (embeddings.length <= limit) return embeddings.map((_, index) => index)
  const kept = [firstOf(embeddings, qualities)]
  const distances = embeddings.map(() => Number.POSITIVE_INFINITY)
  while (kept.length < limit) {
    const latest = embeddings[kept.at(-1)!]!
    let farthest = 0
    for (const [index, embedding] of embeddings.entries()) {
      distances[index] = Math.min(distances[index]!, chord(embedding, latest))
      if (distances[index]! > distances[farthest]!) farthest = index
    }
    kept.push(farthest)
  }
  // Where all that is left equals a kept one, the same index was chosen again.
  return [...new Set(kept)].sort((a, b) => a - b)
}

/** Distance of L2-normalised embeddings, 0–2. */
export function chord(a: Float32Array, b: Float32Array): number {
  return Math.sqrt(Math.max(0, 2 - 2 * cosine(a, b)))
}

function firstOf(embeddings: readonly Float32Array[], qualities: readonly number[] | undefined): number {
  if (qualities) return qualities.indexOf(Math.max(...qualities))
  return medoid(embeddings.map((embedding, index) => ({ embedding, index })))!.index
}
