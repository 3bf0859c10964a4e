/** Identities of a frame's tracks together, against a gallery of directions in the plane. */
import { describe, expect, it } from 'vitest'
import { GrabberError } from '../../../../core/errors.ts'
import type { EventData } from '../../../../core/event.ts'
import type { GalleryHit } from '../../../../core/observation.ts'
import type { LivenessSpec } from '../../../../core/wire/session-spec.ts'
import type { Embedded, FaceServices, TrackView } from '../../../../streams/graph-item.ts'
import { Identities } from '../../../../streams/operators/identify.ts'
import { facesSpec, Studio } from '../studio.ts'

const direction = (degrees: number) =>
  Float32Array.of(Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180))
const people = { ada: direction(0), bob: direction(90) }

const models = [{ id: 'm', boxScale: 2.7, cropPx: 80, liveThreshold: 0.5, spoofThreshold: 0.3 }]

interface Shown {
  degrees?: number
  live?: number
}

class Scene {
  readonly identities: Identities
  asked = 0
  #failing = false
  #seq = 0
  #known = new Map<string, TrackView>()

  constructor({
    liveness = null,
    overflow = 'wait',
  }: { liveness?: LivenessSpec | null; overflow?: 'wait' | 'drop-oldest' } = {}) {
    const studio = new Studio({ faces: true, overflow })
    const match = async (probe: Float32Array, k: number): Promise<GalleryHit[]> => {
      this.asked++
      if (this.#failing) throw new GrabberError('ACT_DEADLINE', 'no answer')
      return Object.entries(people)
        .map(([subject, known]) => ({ subject, similarity: known[0]! * probe[0]! + known[1]! * probe[1]! }))
        .sort((a, b) => b.similarity - a.similarity)
        .slice(0, k)
    }
    const { services } = studio
    const faces = { ...facesSpec, liveness }
    this.identities = new Identities({
      spec: services.spec,
      timeAsync: <T>(_: string, work: () => Promise<T>) => work(),
      complain: () => undefined,
      faces,
      match,
    } as unknown as FaceServices)
  }

  /** One frame with these tracks in it; those with `degrees` were embedded. Returns what was said, in order. */
  async frame(tracks: Record<string, Shown>, { failing = false } = {}): Promise<string[]> {
    this.#failing = failing
    const seq = this.#seq++
    const info = { seq, ptsMs: seq * 200, loop: 0, capturedAtMs: seq * 200, width: 640, height: 480 }
    const started: TrackView[] = []
    const seen = Object.keys(tracks).map((id) => {
      const before = this.#known.get(id)
      const box = { x: 0, y: 0, width: 0.1, height: 0.1 }
      const view: TrackView = { id, box, score: 0.9, quality: 0.8, first: before?.first ?? info, last: info }
      if (!before) started.push(view)
      this.#known.set(id, view)
      return view
    })
    const evidence = Object.entries(tracks).flatMap(([trackId, { degrees, live }]) =>
      degrees === undefined
        ? []
        : [{ trackId, embedding: direction(degrees), quality: 0.8, ...(live === undefined ? {} : { live }) }],
    )
    const item: Embedded = { info, events: [], seen, started, ended: [], evidence }
    const { events } = await this.identities.step(item)
    return events.map(({ data }) => {
      const { phase, trackId, identity, liveness } = data as EventData<'face.track'>
      const verdict = liveness.verdict === 'unchecked' ? [] : [liveness.verdict]
      return [trackId, ...(phase === 'new' ? ['new'] : []), identity.status, identity.subject, ...verdict]
        .filter(Boolean)
        .join(' ')
    })
  }
}

describe('Identities', () => {
  it('the same person twice in one picture: exactly one is named, the one that is more alike', async () => {
    const scene = new Scene()
    const twins = { left: { degrees: 20 }, right: { degrees: 10 } }
    expect(await scene.frame(twins)).toEqual(['left new unknown', 'right new unknown', 'right candidate ada'])
    expect(await scene.frame(twins)).toEqual([])
    expect(await scene.frame(twins)).toEqual(['right confirmed ada'])
    for (let n = 0; n < 5; n++) expect(await scene.frame(twins)).toEqual([])
  })

  it('a name goes over to a better face of the same person, and its holder is revised first', async () => {
    const scene = new Scene()
    for (let n = 0; n < 3; n++) await scene.frame({ poor: { degrees: 40 } })
    const both = { poor: { degrees: 40 }, good: { degrees: 0 } }
    expect(await scene.frame(both)).toEqual(['good new unknown'])
    expect(await scene.frame(both)).toEqual([])
    expect(await scene.frame(both)).toEqual(['poor unknown', 'good confirmed ada'])
    // A frame without the other face brings nothing back; a look at this one alone does.
    expect(await scene.frame({ poor: {} })).toEqual([])
    expect(await scene.frame({ poor: { degrees: 40 } })).toEqual(['poor confirmed ada'])
    expect(await scene.frame({ poor: {}, good: {} })).toEqual(['poor unknown'])
  })

  it('two people keep their names side by side', async () => {
    const scene = new Scene()
    for (let n = 0; n < 2; n++) await scene.frame({ a: { degrees: 0 }, b: { degrees: 90 } })
    expect(await scene.frame({ a: { degrees: 0 }, b: { degrees: 90 } })).toEqual(['a confirmed ada', 'b confirmed bob'])
  })

  it('under require a spoof beside the person does not take the name, however alike', async () => {
    const scene = new Scene({ liveness: { mode: 'require', models } })
    const poster = { degrees: 0, live: 0.02 }
    for (let n = 0; n < 3; n++) await scene.frame({ poster })
    expect(await scene.frame({ poster })).toEqual([])
    const both = { poster, person: { degrees: 25, live: 0.9 } }
    expect(await scene.frame(both)).toEqual(['person new unknown'])
    await scene.frame(both)
    expect(await scene.frame(both)).toEqual(['poster unknown spoof', 'person confirmed ada live'])
  })

  it('under report the verdict is said, and the name all the same', async () => {
    const scene = new Scene({ liveness: { mode: 'report', models } })
    const poster = { degrees: 0, live: 0.02 }
    await scene.frame({ poster })
    await scene.frame({ poster })
    expect(await scene.frame({ poster })).toEqual(['poster confirmed ada spoof'])
  })

  it('under require, with no models, nobody is named', async () => {
    const scene = new Scene({ liveness: { mode: 'require', models: [] } })
    for (let n = 0; n < 6; n++) await scene.frame({ a: { degrees: 0 } })
    expect(await scene.frame({ a: { degrees: 0 } })).toEqual([])
    expect(await scene.frame({ a: { degrees: 0 }, b: {} })).toEqual(['b new unknown'])
  })

  it('a camera goes on when the gallery does not answer; a recording fails', async () => {
    const live = new Scene({ overflow: 'drop-oldest' })
    await live.frame({ a: { degrees: 0 } })
    expect(await live.frame({ a: { degrees: 0 } }, { failing: true })).toEqual([])
    await live.frame({ a: { degrees: 0 } })
    expect(await live.frame({ a: { degrees: 0 } })).toEqual(['a confirmed ada'])
    await expect(new Scene().frame({ a: { degrees: 0 } }, { failing: true })).rejects.toThrow('no answer')
  })

  it('asks once for each look, and not for a stranger on the track', async () => {
    const scene = new Scene()
    await scene.frame({ a: { degrees: 0 }, b: {} })
    await scene.frame({ a: { degrees: 120 }, b: {} })
    expect(scene.asked).toBe(1)
  })
})
