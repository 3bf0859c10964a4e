/**
 * `identify`: evidence becomes identities; tracks become words. One frame at a time, in PTS order. Session host only.
 * The gallery is asked through the daemon. A name is at most once in a frame: tracks that are confirmed hold their
 * subject, the others are judged in the order of the frame's evidence.
 */
import type { OperatorFunction } from 'rxjs'
import { toGrabberError } from '../../core/errors.ts'
import type { GalleryHit, Identity } from '../../core/observation.ts'
import type { LiveBox } from '../../core/wire/control.ts'
import { type IdentityOptions, TrackIdentity } from '../analysis/identity.ts'
import { round, trackEvent } from '../event-draft.ts'
import type { Embedded, FaceEvidence, FaceServices, GraphEvent, Seen, TrackView } from '../graph-item.ts'
import { Unknowns } from '../unknowns.ts'
import { bounded } from './bounded.ts'

/** The nearest subject and the runner-up; more serve the rule of one person once in a frame. */
const NEAREST = 5

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
    this.#options = services.faces
    this.#unknowns = new Unknowns(services)
  }

  async step({ info, events, seen, started, ended, evidence }: Embedded): Promise<Seen> {
    const words: GraphEvent[] = [...events]
    for (const view of ended) words.push(this.#end(view))
    for (const view of started) {
      this.#known.set(view.id, { identity: new TrackIdentity(this.#options), revision: 0 })
      words.push(this.#word(view, 'new'))
    }
    for (const item of evidence) {
      const view = seen.find((track) => track.id === item.trackId)
      if (view && (await this.#judge(view, item, seen))) words.push(this.#word(view, 'update'))
    }
    return { info, events: words, boxes: seen.map((view) => this.#box(view)) }
  }

  finish(views: readonly TrackView[]): GraphEvent[] {
    return views.map((view) => this.#end(view))
  }

  async #judge(view: TrackView, evidence: FaceEvidence, seen: readonly TrackView[]): Promise<boolean> {
    const known = this.#known.get(view.id)
    if (!known) return false
    const template = known.identity.add(evidence.embedding, evidence.quality)
    const hits = template && (await this.#search(template))
    if (!hits) return false
    const judged = known.identity.judge(hits, this.#takenBesides(view.id, seen))
    const { identity } = known.identity
    const beside = seen.map(({ id }) => id)
    const met = await this.#unknowns.consider({ view, evidence, template, hits, identity, beside })
    if (judged || met) known.revision++
    return judged || met
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

  #takenBesides(trackId: string, seen: readonly TrackView[]): Set<string> {
    const taken = new Set<string>()
    for (const { id } of seen) {
      const identity = id === trackId ? undefined : this.#known.get(id)?.identity.identity
      if (identity?.subject !== undefined && identity.status !== 'candidate') taken.add(identity.subject)
    }
    return taken
  }

  #end(view: TrackView): GraphEvent {
    const word = this.#word(view, 'end')
    this.#unknowns.end(view, this.#identity(view))
    this.#known.delete(view.id)
    return word
  }

  #word(view: TrackView, phase: 'new' | 'update' | 'end'): GraphEvent {
    const known = this.#known.get(view.id)
    return trackEvent(view, { phase, revision: known?.revision ?? 0, identity: this.#identity(view) })
  }

  #identity({ id }: TrackView): Identity {
    const identity = this.#known.get(id)?.identity.identity ?? { status: 'unknown' }
    const anonymous = this.#unknowns.of(id)
    return anonymous === undefined ? identity : { ...identity, anonymous }
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
