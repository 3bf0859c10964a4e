/**
 * Who a track is, from several embeddings. Pure state per track; the gallery's answers come in as numbers.
 * Evidence is the track's template, searched anew after each embedding that agrees with it. A name is confirmed after
 * several agreeing answers. Embeddings that disagree with the template but with one another agree are another person, whom
 * the tracker took for the first (two who crossed, a cut): the template then starts anew from them.
 */
import type { GalleryHit, Identity } from '../../core/observation.ts'
import { Template } from './template.ts'

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
  #template = new Template()
  /** Of the embeddings in a row that disagree with the template. */
  #stranger = new Template()
  /** The template has just started anew, from as many embeddings as a name needs. */
  #restarted = false
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

  /**
   * Adds an embedding (L2-normalised) with weight `quality`. Returns the template to search, L2-normalised; `undefined`
   * while the embedding is that of a stranger: the template is what it was, and there is nothing new to ask.
   */
  add(embedding: Float32Array, quality: number): Float32Array | undefined {
    if (this.#agrees(this.#template, embedding)) {
      this.#stranger = new Template()
      this.#template.add(embedding, quality)
      return this.#template.vector()
    }
    if (!this.#agrees(this.#stranger, embedding)) this.#stranger = new Template()
    this.#stranger.add(embedding, quality)
    if (this.#stranger.size < this.#options.confirmEmbeddings) return undefined
    this.#template = this.#stranger
    this.#stranger = new Template()
    this.#restarted = true
    return this.#template.vector()
  }

  /**
   * The gallery's answer for the present template, best first. `taken` holds subjects that another face of the same frame
   * is: one person is at most once in a picture. Returns true when the identity changed (a new revision).
   */
  judge(hits: readonly GalleryHit[], taken: ReadonlySet<string>): boolean {
    const match = acceptedMatch(hits, this.#options)
    const accepted = match && !taken.has(match.subject) ? match : undefined
    this.#count(accepted?.subject)
    const restarted = this.#restarted
    this.#restarted = false
    return accepted ? this.#accept(accepted) : this.#doubt(restarted)
  }

  /** Two faces are the same person's from the cosine at which a face is a known person. */
  #agrees(template: Template, embedding: Float32Array): boolean {
    return template.size === 0 || template.cosine(embedding) >= this.#options.matchThreshold
  }

  #count(subject: string | undefined): void {
    this.#streak = subject !== undefined && subject === this.#streakSubject ? this.#streak + 1 : 1
    if (this.#restarted) this.#streak = this.#options.confirmEmbeddings
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

  /**
   * No accepted match: a candidate falls back. A confirmed name stays, since the track itself is evidence, unless the
   * track's template has started anew.
   */
  #doubt(restarted: boolean): boolean {
    if (this.#identity.status === 'unknown' || (this.#identity.status !== 'candidate' && !restarted)) return false
    this.#identity = { status: 'unknown' }
    return true
  }
}
