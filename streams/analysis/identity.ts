/**
 * Who a track is, from several embeddings. Pure state per track; the gallery's answers come in as numbers.
 * Evidence is the track's template: the quality-weighted sum of its embeddings, normalised (template pooling, as in
 * NIST's IJB protocols), searched anew after each embedding. A name is confirmed after several agreeing answers.
 */
import type { GalleryHit, Identity } from '../../core/observation.ts'

/** What a match must reach to be accepted. */
export interface MatchLimits {
  /** Lowest cosine of an accepted match. */
  matchThreshold: number
  /** Lowest lead over the runner-up subject. */
  minMargin: number
}

export interface Match {
  subject: string
  name?: string
  similarity: number
  /** Similarity minus that of the runner-up; the similarity itself when there is none. */
  margin: number
}

/** The best of `hits` (best first) when it is good enough, and clearly better than the runner-up. */
export function acceptedMatch(hits: readonly GalleryHit[], limits: MatchLimits): Match | undefined {
  const [best, second] = hits
  if (!best) return undefined
  const margin = best.similarity - (second?.similarity ?? 0)
  return best.similarity >= limits.matchThreshold && margin >= limits.minMargin ? { ...best, margin } : undefined
}

export interface IdentityOptions extends MatchLimits {
  /** Agreeing answers before a name is confirmed. */
  confirmEmbeddings: number
}

export class TrackIdentity {
  readonly #options: IdentityOptions
  #sum: Float64Array | undefined
  #identity: Identity = { status: 'unknown' }
  /** Answers in a row for `#streakSubject`. */
  #streak = 0
  #streakSubject: string | undefined

  constructor(options: IdentityOptions) {
    this.#options = options
  }

  get identity(): Identity {
    return this.#identity
  }

  /** Adds an embedding (L2-normalised) with weight `quality`; returns the template to search, L2-normalised. */
  add(embedding: Float32Array, quality: number): Float32Array {
    this.#sum ??= new Float64Array(embedding.length)
    let squares = 0
    for (let i = 0; i < embedding.length; i++) {
      const value = this.#sum[i]! + quality * embedding[i]!
      this.#sum[i] = value
      squares += value * value
    }
    const norm = Math.sqrt(squares) || 1
    return Float32Array.from(this.#sum, (value) => value / norm)
  }

  /**
   * The gallery's answer for the present template, best first. `taken` holds subjects that another face of the same frame
   * is: one person is at most once in a picture. Returns true when the identity changed (a new revision).
   */
  judge(hits: readonly GalleryHit[], taken: ReadonlySet<string>): boolean {
    const match = acceptedMatch(hits, this.#options)
    const accepted = match && !taken.has(match.subject) ? match : undefined
    this.#count(accepted?.subject)
    return accepted ? this.#accept(accepted) : this.#doubt()
  }

  #count(subject: string | undefined): void {
    this.#streak = subject !== undefined && subject === this.#streakSubject ? this.#streak + 1 : 1
    this.#streakSubject = subject
  }

  #accept(match: Match): boolean {
    const before = this.#identity
    const settled = before.status === 'confirmed' || before.status === 'corrected'
    const enough = this.#streak >= this.#options.confirmEmbeddings
    if (settled && match.subject === before.subject) {
      this.#identity = { ...match, status: before.status }
      return false
    }
    if (settled && !enough) return false
    const status = settled ? 'corrected' : enough ? 'confirmed' : 'candidate'
    this.#identity = { ...match, status }
    return status !== before.status || match.subject !== before.subject
  }

  /** No accepted match: a candidate falls back; a confirmed name stays, since the track itself is evidence. */
  #doubt(): boolean {
    if (this.#identity.status !== 'candidate') return false
    this.#identity = { status: 'unknown' }
    return true
  }
}
