/**
 * What a session remembers of its tracks for telling people without a name again: when the daemon is asked who one is, and
 * what is left of a track when it ends. Session host only. Must never ask about a face that may be a known person's, or
 * a picture of a face.
 */
import { toGrabberError } from '../core/errors.ts'
import type { GalleryHit, Identity, Liveness } from '../core/observation.ts'
import { diverseEmbeddings } from './analysis/diverse-embeddings.ts'
import { cosine } from './analysis/likeness.ts'
import type { FaceEvidence, FaceServices, TrackView } from './graph-item.ts'

/** Single embeddings that are kept of a track, beside its template. */
const MOST_LOOKS = 3

interface Looks {
  /** Of the track, L2-normalised. */
  template: Float32Array
  /** Embeddings in the template. */
  agreeing: number
  singles: Float32Array[]
  anonymous?: string
}

/** What `Unknowns.consider` is told after a track was judged. */
export interface JudgedFace {
  view: TrackView
  evidence: FaceEvidence
  /** With this evidence in it. */
  template: Float32Array
  /** The gallery's answer to it, best first. */
  hits: readonly GalleryHit[]
  identity: Identity
  liveness: Liveness
  /** Ids of the tracks in the same frame. */
  beside: readonly string[]
}

/** One pass's tracks. */
export class Unknowns {
  readonly #services: FaceServices
  readonly #looks = new Map<string, Looks>()

  constructor(services: FaceServices) {
    this.#services = services
  }

  /** Id of the person without a name whom the track shows. */
  of(trackId: string): string | undefined {
    return this.#looks.get(trackId)?.anonymous
  }

  /** Takes evidence of a track, and asks who it is when there is enough and it is nobody known. True when `of` changed. */
  async consider(face: JudgedFace): Promise<boolean> {
    const { faces } = this.#services
    if (faces.unknown === 'forget') return false
    const { view, hits, identity, liveness } = face
    const before = this.of(view.id)
    const looks = this.#add(face)
    const mayBeKnown = identity.subject !== undefined || (hits[0]?.similarity ?? -1) >= faces.matchThreshold
    const mayBePicture =
      liveness.verdict === 'spoof' || (faces.liveness?.mode === 'require' && liveness.verdict !== 'live')
    const enough = looks.agreeing >= faces.confirmEmbeddings
    const due = enough && looks.anonymous === undefined && !mayBeKnown && !mayBePicture
    const anonymous = due ? await this.#ask(view, looks.template, face.beside) : null
    if (anonymous !== null) looks.anonymous = anonymous
    return looks.anonymous !== before
  }

  /** The track has ended as `identity`. */
  end(view: TrackView, identity: Identity): void {
    const looks = this.#looks.get(view.id)
    this.#looks.delete(view.id)
    if (!looks || looks.agreeing < this.#services.faces.confirmEmbeddings) return
    const named = identity.status === 'confirmed' || identity.status === 'corrected'
    this.#services.keep({
      trackId: view.id,
      ...times(view),
      ...(named && identity.subject !== undefined ? { subject: identity.subject } : {}),
      ...(looks.anonymous === undefined ? {} : { anonymous: looks.anonymous }),
      embeddings: [looks.template, ...looks.singles],
    })
  }

  #add({ view, evidence: { embedding }, template }: JudgedFace): Looks {
    const { matchThreshold, confirmEmbeddings } = this.#services.faces
    const before = this.#looks.get(view.id)
    // A template that is unlike the one before it has started anew: another person, with as many embeddings as a name needs.
    const another = before !== undefined && cosine(before.template, template) < matchThreshold
    const looks: Looks =
      before && !another
        ? { ...before, template, agreeing: before.agreeing + 1 }
        : { template, agreeing: another ? confirmEmbeddings : 1, singles: [] }
    const singles = [...looks.singles, embedding]
    looks.singles = diverseEmbeddings(singles, MOST_LOOKS).map((index) => singles[index]!)
    this.#looks.set(view.id, looks)
    return looks
  }

  /** A camera goes on without an answer, and asks again with the next evidence; a recording must have it. */
  async #ask(view: TrackView, template: Float32Array, beside: readonly string[]): Promise<string | null> {
    const others = beside.filter((id) => id !== view.id).map((id) => this.of(id))
    const taken = others.filter((id) => id !== undefined)
    const sighting = { trackId: view.id, template, ...times(view), taken }
    try {
      return await this.#services.timeAsync('remember', () => this.#services.remember(sighting))
    } catch (error) {
      if (this.#services.spec.source.overflow === 'wait') throw error
      this.#services.complain(toGrabberError(error))
      return null
    }
  }
}

function times({ first, last }: TrackView): { startMs: number; endMs: number } {
  return { startMs: first.capturedAtMs, endMs: last.capturedAtMs }
}
