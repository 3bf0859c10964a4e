/**
 * Who a track is, from several embeddings. Pure state per track; the gallery's answers come in as numbers.
 * Evidence is the track's template: the quality-weighted sum of its embeddings, normalised (template pooling, as in
 * NIST's IJB protocols), searched anew after each embedding. A name is confirmed after several agreeing answers.
 */
import type { GalleryHit, Identity } from '../../core/observation.ts'

export interface IdentityOptions {
  /** Lowest cosine of an accepted match. */
  matchThreshold: number
  /** Lowest lead over the runner-up subject. */
  minMargin: number
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
    const [best, second] = hits
    const margin = best ? best.similarity - (second?.similarity ?? 0) : 0
    const accepted =
      best !== undefined &&
      best.similarity >= this.#options.matchThreshold &&
      margin >= this.#options.minMargin &&
      !taken.has(best.subject)
    this.#count(accepted ? best.subject : undefined)
    if (!accepted) return this.#doubt()
    return this.#accept({
      subject: best.subject,
      ...(best.name === undefined ? {} : { name: best.name }),
      similarity: best.similarity,
      margin,
    })
  }

  #count(subject: string | undefined): void {
    this.#streak = subject !== undefined && subject === this.#streakSubject ? this.#streak + 1 : 1
    this.#streakSubject = subject
  }

  #accept(match: Omit<Identity, 'status'>): boolean {
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
