/**
 * Who a track is, from several embeddings. Pure state per track; the gallery's answers come in as numbers.
 *
 * The evidence is a template, the quality-weighted pool of the track's embeddings (template pooling as in NIST's IJB
 * protocols; Whitelam et al., "IARPA Janus Benchmark-B", CVPRW 2017), searched anew after each embedding that agrees with it.
 * The decision is sequential and has three outcomes as in Wald's test (Ann. Math. Stat. 1945): after each answer the nearest
 * subject is accepted, given up, or looked at further. The statistic is not his likelihood ratio, for which a gallery of a few
 * people has no distributions, but the number of answers in a row that pass threshold and margin; its lower bound is 2, so one
 * face never names anybody.
 *
 * Embeddings that disagree with the template but with one another agree are another person, whom the tracker took for the
 * first (two who crossed, a cut): template and liveness then start anew from them.
 */
import type { GalleryHit, Identity, Liveness } from '../../core/observation.ts'
import { LivenessEvidence, type LivenessLimits } from './liveness.ts'
import type { Claim } from './subject-claims.ts'
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
  /** Agreeing answers before a name is confirmed; 2 or more. */
  confirmEmbeddings: number
  /** A name is confirmed only while the face is judged live. */
  requireLive: boolean
  liveness: LivenessLimits
}

/** What one look at a face gives. */
export interface FaceLook {
  /** L2-normalised. */
  embedding: Float32Array
  /** Its weight. */
  quality: number
  /** P(live); absent when it was not judged. */
  live?: number
}

/** What is known of one face. */
class FaceEvidence {
  readonly template = new Template()
  readonly liveness: LivenessEvidence

  constructor(limits: LivenessLimits) {
    this.liveness = new LivenessEvidence(limits)
  }

  add({ embedding, quality, live }: FaceLook): void {
    this.template.add(embedding, quality)
    if (live !== undefined) this.liveness.add(live, quality)
  }
}

export class TrackIdentity {
  readonly #options: IdentityOptions
  #face: FaceEvidence
  /** Of the embeddings in a row that disagree with the face's. */
  #stranger: FaceEvidence
  /** The face has just started anew, from as many embeddings as a name needs. */
  #restarted = false
  /** The gallery's last answer, and what of it was accepted. */
  #hits: readonly GalleryHit[] = []
  #match: Match | undefined
  /** Answers in a row that accept the subject of `#match`. */
  #agreeing = 0
  /** Answers in a row that accept nobody, and do not reach the threshold for the name either. */
  #doubts = 0
  /** There was an answer since the last decision. */
  #fresh = false
  #identity: Identity = { status: 'unknown' }
  #verdict: Liveness['verdict'] = 'unchecked'
  /** The last name that was confirmed: another one is a correction. */
  #name: string | undefined

  constructor(options: IdentityOptions) {
    if (options.confirmEmbeddings < 2) throw new RangeError('a name needs two embeddings or more')
    this.#options = options
    this.#face = new FaceEvidence(options.liveness)
    this.#stranger = new FaceEvidence(options.liveness)
  }

  get identity(): Identity {
    return { ...this.#identity, evidence: this.#evidence() }
  }

  get liveness(): Liveness {
    return this.#face.liveness.liveness
  }

  /**
   * Adds a look. Returns the template to search, L2-normalised; `undefined` while the face is that of a stranger: the
   * template is what it was, and there is nothing new to ask.
   */
  add(look: FaceLook): Float32Array | undefined {
    const { confirmEmbeddings, liveness } = this.#options
    if (this.#agrees(this.#face, look.embedding)) {
      this.#stranger = new FaceEvidence(liveness)
      this.#face.add(look)
      return this.#face.template.vector()
    }
    if (!this.#agrees(this.#stranger, look.embedding)) this.#stranger = new FaceEvidence(liveness)
    this.#stranger.add(look)
    if (this.#stranger.template.size < confirmEmbeddings) return undefined
    this.#face = this.#stranger
    this.#stranger = new FaceEvidence(liveness)
    this.#restarted = true
    return this.#face.template.vector()
  }

  /** The gallery's answer for the present template, best first. */
  answer(hits: readonly GalleryHit[]): void {
    const match = acceptedMatch(hits, this.#options)
    const same = match !== undefined && match.subject === this.#match?.subject
    this.#agreeing = match ? (same ? this.#agreeing + 1 : 1) : 0
    if (match && this.#restarted) this.#agreeing = this.#options.confirmEmbeddings
    const held = hits.find((hit) => hit.subject === this.#identity.subject)?.similarity ?? 0
    this.#doubts = match || held >= this.#options.matchThreshold ? 0 : this.#doubts + 1
    this.#match = match
    this.#hits = hits
    this.#fresh = true
  }

  /**
   * Whom this track takes itself for: one subject or nobody. Which tracks of a frame get theirs is `assign`'s business. Who
   * lost a subject claims it again by new evidence only: one missed detection of the other face must not swap two names.
   */
  get claim(): Claim | undefined {
    if (this.#identity.status === 'unknown' && !this.#fresh) return undefined
    const { confirmEmbeddings } = this.#options
    const { subject: held, similarity: heldSimilarity = 0 } = this.#identity
    const match = this.#match
    const enough = this.#agreeing >= confirmEmbeddings
    // A name stays through doubtful answers, since the track itself is evidence: until as many in a row speak against it as
    // it took to confirm it, or its face started anew.
    const overturned = enough || this.#doubts >= confirmEmbeddings || this.#restarted
    if (this.#isNamed && held !== undefined && match?.subject !== held && !overturned) {
      return { subject: held, similarity: heldSimilarity, proven: this.#mayBeNamed, held: true }
    }
    if (!match) return undefined
    const { subject, similarity } = match
    const known = subject === held
    return { subject, similarity, proven: this.#mayBeNamed && (enough || (known && this.#isNamed)), held: known }
  }

  /**
   * Takes the frame's decision: whether this track gets the subject that it claims. Returns true when what there is to say
   * changed (a new revision). Says the same again when nothing new came in between.
   */
  settle(granted: boolean): boolean {
    const before = this.#identity
    const verdictBefore = this.#verdict
    this.#identity = this.#decide(granted ? this.claim : undefined)
    this.#fresh = false
    this.#restarted = false
    this.#verdict = this.liveness.verdict
    const { status, subject } = this.#identity
    return status !== before.status || subject !== before.subject || this.#verdict !== verdictBefore
  }

  #decide(claim: Claim | undefined): Identity {
    if (!claim) return { status: 'unknown' }
    const facts = this.#match?.subject === claim.subject ? this.#match : this.#identity
    if (!claim.proven) return { ...facts, status: 'candidate' }
    const corrected = this.#name !== undefined && this.#name !== claim.subject
    const status = corrected ? 'corrected' : this.#isNamed ? this.#identity.status : 'confirmed'
    this.#name = claim.subject
    return { ...facts, status }
  }

  get #isNamed(): boolean {
    return this.#identity.status === 'confirmed' || this.#identity.status === 'corrected'
  }

  get #mayBeNamed(): boolean {
    return !this.#options.requireLive || this.liveness.verdict === 'live'
  }

  /** Two faces are the same person's from the cosine at which a face is a known person. */
  #agrees({ template }: FaceEvidence, embedding: Float32Array): boolean {
    return template.size === 0 || template.cosine(embedding) >= this.#options.matchThreshold
  }

  #evidence(): NonNullable<Identity['evidence']> {
    const [best, second] = this.#hits
    const counts = { embeddings: this.#face.template.size, agreeing: this.#agreeing }
    if (!best) return counts
    const margin = best.similarity - (second?.similarity ?? 0)
    const runnerUp = best.subject === this.#identity.subject ? second?.subject : undefined
    return { ...counts, similarity: best.similarity, margin, ...(runnerUp === undefined ? {} : { runnerUp }) }
  }
}
