import { describe, expect, it } from 'vitest'
import { GrabberError } from '../../../core/errors.ts'
import type { EndedTrack, GalleryHit, Identity, Liveness, Sighting } from '../../../core/observation.ts'
import type { FaceServices, TrackView } from '../../../streams/graph-item.ts'
import { Unknowns } from '../../../streams/unknowns.ts'
import { facesSpec } from './studio.ts'

/** matchThreshold is 0.5, 60 degrees. */
const face = (degrees: number) =>
  Float32Array.of(Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180))
const unknown: Identity = { status: 'unknown' }
const stranger: GalleryHit[] = [{ subject: 'ada', similarity: 0.49 }]

function view(id: string): TrackView {
  const at = (capturedAtMs: number) => ({ seq: 0, ptsMs: 0, loop: 0, capturedAtMs, width: 10, height: 10 })
  return { id, box: { x: 0, y: 0, width: 1, height: 1 }, score: 1, quality: 1, first: at(1000), last: at(2000) }
}

interface Seen {
  hits?: GalleryHit[]
  identity?: Identity
  liveness?: Liveness
  beside?: string[]
}

type Answer = string | null | Error

function setUp({ mode = 'remember', overflow = 'drop-oldest', answers = [] as Answer[], requireLive = false } = {}) {
  const asked: Sighting[] = []
  const kept: EndedTrack[] = []
  const complaints: string[] = []
  const services = {
    spec: { source: { overflow } },
    faces: { ...facesSpec, unknown: mode, liveness: requireLive ? { mode: 'require', models: [] } : null },
    async remember(sighting: Sighting) {
      asked.push(sighting)
      const answer = answers.shift() ?? null
      if (answer instanceof Error) throw answer
      return answer
    },
    keep: (track: EndedTrack) => kept.push(track),
    timeAsync: (_: string, work: () => Promise<unknown>) => work(),
    complain: ({ code }: GrabberError) => complaints.push(code),
  } as unknown as FaceServices
  const unknowns = new Unknowns(services)
  const see = (id: string, degrees: number, more: Seen = {}) => {
    const { hits = stranger, identity = unknown, beside = [id], liveness = { verdict: 'unchecked' } } = more
    const template = face(degrees)
    const evidence = { trackId: id, embedding: template, quality: 1 }
    return unknowns.consider({ view: view(id), evidence, template, hits, identity, liveness, beside })
  }
  return { unknowns, see, asked, kept, complaints }
}

describe('Unknowns', () => {
  it('asks once there is as much evidence as for a name, and not again', async () => {
    const { unknowns, see, asked } = setUp({ answers: ['anon-a'] })
    expect([await see('t1', 0), await see('t1', 1), unknowns.of('t1')]).toEqual([false, false, undefined])
    expect([await see('t1', 2), await see('t1', 3), unknowns.of('t1')]).toEqual([true, false, 'anon-a'])
    expect(asked).toEqual([{ trackId: 't1', template: face(2), startMs: 1000, endMs: 2000, taken: [] }])
  })

  it('asks again with the next evidence while it cannot be told, or nobody answers', async () => {
    const { unknowns, see, asked, complaints } = setUp({
      answers: [null, new GrabberError('ACT_OVERFLOW', 'full'), 'anon-a'],
    })
    for (let n = 0; n < 5; n++) await see('t1', n)
    expect([asked.length, complaints, unknowns.of('t1')]).toEqual([3, ['ACT_OVERFLOW'], 'anon-a'])
  })

  it('a recording must have the answer', async () => {
    const { see } = setUp({ overflow: 'wait', answers: [new GrabberError('ACT_DEADLINE', 'late')] })
    for (let n = 0; n < 2; n++) await see('t1', n)
    await expect(see('t1', 2)).rejects.toMatchObject({ code: 'ACT_DEADLINE' })
  })

  it.for([
    ['who is a candidate', { identity: { status: 'candidate', subject: 'ada' } }],
    ['who is confirmed', { identity: { status: 'confirmed', subject: 'ada' } }],
    ['who matches two known people', { hits: [0.8, 0.79].map((similarity) => ({ subject: 'x', similarity })) }],
    ['who matches somebody who is another face of the frame', { hits: [{ subject: 'ada', similarity: 0.5 }] }],
  ] satisfies [string, Seen][])('does not ask about a person %s', async ([, more]) => {
    const { see, asked } = setUp()
    for (let n = 0; n < 5; n++) await see('t1', n, more)
    expect(asked).toEqual([])
  })

  it('does not ask about a picture of a face; nor about what may be one, where names need a live face', async () => {
    const count = async (requireLive: boolean, verdict: Liveness['verdict']) => {
      const { see, asked } = setUp({ requireLive, answers: ['anon-a'] })
      for (let n = 0; n < 5; n++) await see('t1', n, { liveness: { verdict } })
      return asked.length
    }
    expect([await count(false, 'spoof'), await count(true, 'spoof'), await count(true, 'unchecked')]).toEqual([0, 0, 0])
    expect([await count(false, 'unchecked'), await count(true, 'live')]).toEqual([1, 1])
  })

  it('tells who the other faces of the frame are', async () => {
    const { see, asked } = setUp({ answers: ['anon-a', 'anon-b'] })
    const beside = ['t1', 't2', 't3']
    for (const id of ['t1', 't2']) for (let n = 0; n < 3; n++) await see(id, id === 't1' ? n : 90 + n, { beside })
    expect(asked.map(({ taken }) => taken)).toEqual([[], ['anon-a']])
  })

  it('takes a template that starts anew for another person, and asks who that is at once', async () => {
    const { unknowns, see, asked, kept } = setUp({ answers: ['anon-a', null, 'anon-b'] })
    for (const degrees of [0, 1, 2]) await see('t1', degrees)
    expect([await see('t1', 90), unknowns.of('t1')]).toEqual([true, undefined])
    expect([await see('t1', 91), unknowns.of('t1')]).toEqual([true, 'anon-b'])
    expect(asked).toHaveLength(3)
    unknowns.end(view('t1'), unknown)
    expect(kept).toEqual([
      { trackId: 't1', startMs: 1000, endMs: 2000, anonymous: 'anon-b', embeddings: [face(91), face(90), face(91)] },
    ])
  })

  it('leaves of a track its template and a few embeddings, least alike, and who it was', async () => {
    const { unknowns, see, kept } = setUp({ answers: ['anon-a'] })
    for (const degrees of [0, 1, 2, 30, 50]) await see('t1', degrees)
    unknowns.end(view('t1'), { status: 'confirmed', subject: 'ada' })
    expect(kept).toMatchObject([{ subject: 'ada', anonymous: 'anon-a' }])
    const [template, ...singles] = kept[0]!.embeddings
    expect([template, singles]).toEqual([face(50), expect.arrayContaining([face(30), face(50)])])
    expect(singles).toHaveLength(3)
    expect(unknowns.of('t1')).toBeUndefined()
  })

  it('leaves nothing of a track with little evidence, and no subject of a candidate', async () => {
    const { unknowns, see, kept } = setUp()
    for (const id of ['t1', 't2']) for (let n = 0; n < (id === 't1' ? 2 : 3); n++) await see(id, n)
    unknowns.end(view('t1'), unknown)
    unknowns.end(view('t2'), { status: 'candidate', subject: 'ada' })
    unknowns.end(view('t3'), unknown)
    expect(kept.map(({ trackId, subject }) => [trackId, subject])).toEqual([['t2', undefined]])
  })

  it('asks and keeps nothing where people without a name are to be forgotten', async () => {
    const { unknowns, see, asked, kept } = setUp({ mode: 'forget', answers: ['anon-a'] })
    for (let n = 0; n < 5; n++) expect(await see('t1', n)).toBe(false)
    unknowns.end(view('t1'), unknown)
    expect([asked, kept, unknowns.of('t1')]).toEqual([[], [], undefined])
  })
})
