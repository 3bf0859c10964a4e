/**
 * `identify`: evidence becomes identities; tracks become words. One frame at a time, in PTS order. Session host only.
 * The gallery is asked through the daemon, for each track with new evidence. Then all tracks of the frame are settled
 * together, since a person is at most once in a picture.
 */
import type { OperatorFunction } from 'rxjs'
import { toGrabberError } from '../../core/errors.ts'
import type { GalleryHit } from '../../core/observation.ts'
import type { LiveBox } from '../../core/wire/control.ts'
import { type IdentityOptions, TrackIdentity } from '../analysis/identity.ts'
import { livenessLimits } from '../analysis/liveness.ts'
import { grantClaims } from '../analysis/subject-claims.ts'
import { round, trackEvent } from '../event-draft.ts'
import type { Embedded, FaceEvidence, FaceServices, GraphEvent, Seen, TrackView } from '../graph-item.ts'
import { type JudgedFace, Unknowns } from '../unknowns.ts'
import { bounded } from './bounded.ts'

/** The nearest subject and the runner-up. */
const NEAREST = 2

/** A look to which the gallery answered. */
type Answered = Pick<JudgedFace, 'view' | 'evidence' | 'template' | 'hits'>

interface Known {
  identity: TrackIdentity
  revision: number
}

/** One pass's identities. */
export class Identities {
  readonly #services: FaceServices
  readonly #options: IdentityOptions
  readonly #unknowns: Unknowns
  #known = new Map<string, Known>()

  constructor(services: FaceServices) {
    this.#services = services
    const { matchThreshold, minMargin, confirmEmbeddings, liveness } = services.faces
    const requireLive = liveness?.mode === 'require'
    const limits = livenessLimits(liveness?.models ?? [])
    this.#options = { matchThreshold, minMargin, confirmEmbeddings, requireLive, liveness: limits }
    this.#unknowns = new Unknowns(services)
  }

  async step({ info, events, seen, started, ended, evidence }: Embedded): Promise<Seen> {
    const words: GraphEvent[] = [...events]
    for (const view of ended) words.push(this.#end(view))
    for (const view of started) {
      this.#known.set(view.id, { identity: new TrackIdentity(this.#options), revision: 0 })
      words.push(this.#word(view, 'new'))
    }
    const answered: Answered[] = []
    for (const item of evidence) {
      const face = await this.#consult(item, seen)
      if (face) answered.push(face)
    }
    const changed = new Set([...this.#settle(seen), ...(await this.#meet(answered, seen))])
    for (const view of changed) {
      this.#known.get(view.id)!.revision++
      words.push(this.#word(view, 'update'))
    }
    return { info, events: words, boxes: seen.map((view) => this.#box(view)) }
  }

  finish(views: readonly TrackView[]): GraphEvent[] {
    return views.map((view) => this.#end(view))
  }

  /**
   * Adds a look to its track's evidence, and asks the gallery when there is something new to ask. What it answered;
   * `undefined` when there was nothing to ask, or nobody answered.
   */
  async #consult(evidence: FaceEvidence, seen: readonly TrackView[]): Promise<Answered | undefined> {
    const { trackId, ...look } = evidence
    const view = seen.find(({ id }) => id === trackId)
    const identity = this.#known.get(trackId)?.identity
    const template = identity?.add(look)
    const hits = template && (await this.#search(template))
    if (!hits) return undefined
    identity?.answer(hits)
    return view && { view, evidence, template, hits }
  }

  /** The tracks whose identity changes; those who lose a subject speak before those who get it. */
  #settle(seen: readonly TrackView[]): TrackView[] {
    const tracks = seen.flatMap((view) => {
      const known = this.#known.get(view.id)
      return known ? [{ view, known }] : []
    })
    const claims = tracks.map(({ known }) => known.identity.claim)
    const granted = grantClaims(claims, this.#options.minMargin)
    return [false, true].flatMap((turn) =>
      tracks
        .filter(({ known }, index) => granted[index] === turn && known.identity.settle(turn))
        .map(({ view }) => view),
    )
  }

  /** The tracks of people who are nobody known, and were told again or are new. */
  async #meet(answered: readonly Answered[], seen: readonly TrackView[]): Promise<TrackView[]> {
    const beside = seen.map(({ id }) => id)
    const met: TrackView[] = []
    for (const face of answered) {
      const { identity } = this.#known.get(face.view.id)!
      const { liveness } = identity
      if (await this.#unknowns.consider({ ...face, identity: identity.identity, liveness, beside })) met.push(face.view)
    }
    return met
  }

  /** A camera goes on without an answer; a recording must have it. */
  async #search(template: Float32Array): Promise<GalleryHit[] | undefined> {
    try {
      return await this.#services.timeAsync('identify', () => this.#services.match(template, NEAREST))
    } catch (error) {
      if (this.#services.spec.source.overflow === 'wait') throw error
      this.#services.complain(toGrabberError(error))
      return undefined
    }
  }

  #end(view: TrackView): GraphEvent {
    const word = this.#word(view, 'end')
    const known = this.#known.get(view.id)
    if (known) this.#unknowns.end(view, known.identity.identity)
    this.#known.delete(view.id)
    return word
  }

  #word(view: TrackView, phase: 'new' | 'update' | 'end'): GraphEvent {
    const { identity, revision } = this.#known.get(view.id) ?? {
      identity: new TrackIdentity(this.#options),
      revision: 0,
    }
    const anonymous = this.#unknowns.of(view.id)
    const told = anonymous === undefined ? identity.identity : { ...identity.identity, anonymous }
    return trackEvent(view, { phase, revision, identity: told, liveness: identity.liveness })
  }

  #box(view: TrackView): LiveBox {
    const { x, y, width, height } = view.box
    const subject = this.#known.get(view.id)?.identity.identity.subject
    return {
      trackId: view.id,
      box: [round(x), round(y), round(width), round(height)],
      score: round(view.score),
      ...(subject === undefined ? {} : { subject }),
    }
  }
}

export function identify(identities: Identities, queue: number): OperatorFunction<Embedded, Seen> {
  return bounded<Embedded, Seen>({
    inFlight: 1,
    queue,
    overflow: 'wait',
    project: (item) => identities.step(item),
    onDrop: () => undefined,
    isItemFailure: () => false,
  })
}
