/**
 * Which faces of a track are worth an embedding. Pure, and blind to results: whether one is due must not depend on how
 * fast the engine answered, or two replays would differ.
 */
export interface EmbedHistory {
  taken: number
  lastMs: number
  bestQuality: number
}

/** The first embeddings come quickly, so that a name can be confirmed within a second. */
const OPENING = 4
const OPENING_SPACING_MS = 150
/** Later ones only for a clearly better face, or to look again. */
const BETTER_FACTOR = 1.15
const LOOK_AGAIN_MS = 1000
/** Below this a face is too small, turned or uncertain to say anything. */
export const MIN_EMBED_QUALITY = 0.12

export function newEmbedHistory(): EmbedHistory {
  return { taken: 0, lastMs: Number.NEGATIVE_INFINITY, bestQuality: 0 }
}

/** Decides, and notes the decision in `history`. */
export function takeEmbedding(history: EmbedHistory, quality: number, ptsMs: number): boolean {
  if (quality < MIN_EMBED_QUALITY) return false
  const since = ptsMs - history.lastMs
  const due =
    history.taken < OPENING
      ? since >= OPENING_SPACING_MS
      : since >= LOOK_AGAIN_MS || (since >= OPENING_SPACING_MS && quality >= BETTER_FACTOR * history.bestQuality)
  if (!due) return false
  history.taken++
  history.lastMs = ptsMs
  history.bestQuality = Math.max(history.bestQuality, quality)
  return true
}
