import { describe, expect, it } from 'vitest'
import type { GalleryHit } from '../../../core/observation.ts'
import { acceptedMatch, type IdentityOptions, TrackIdentity } from '../../../streams/analysis/identity.ts'
import { Template } from '../../../streams/analysis/template.ts'

const limits = { matchThreshold: 0.6, minMargin: 0.05 }
const options: IdentityOptions = {
  ...limits,
  confirmEmbeddings: 3,
  requireLive: false,
  liveness: { live: 0.5, spoof: 0.3 },
}
/** A unit vector in the plane: faces of people are directions, and cosines are those of the angles between them. */
const face = (degrees: number) =>
  Float32Array.of(Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180))
const hit = (subject: string, similarity: number): GalleryHit => ({ subject, similarity })
const ada = [hit('ada', 0.9), hit('bob', 0.3)]
const bob = [hit('bob', 0.8), hit('ada', 0.2)]

describe('acceptedMatch', () => {
  it('takes the best at the threshold, with its lead over the second', () => {
    expect(acceptedMatch([hit('ada', 0.6), hit('bob', 0.25)], limits)).toEqual({
      subject: 'ada',
      similarity: 0.6,
      margin: 0.35,
    })
  })

  it('leads over nobody by all of its similarity', () => {
    expect(acceptedMatch([hit('ada', 0.75)], limits)?.margin).toBe(0.75)
  })

  it.for([
    ['nobody is known', []],
    ['it is not alike enough', [hit('ada', 0.59)]],
    ['another is nearly as alike', [hit('ada', 0.8), hit('bob', 0.76)]],
  ] as const)('takes none when %s', ([, hits]) => {
    expect(acceptedMatch(hits, limits)).toBeUndefined()
  })
})

describe('Template', () => {
  it('is the weighted mean direction', () => {
    const template = new Template()
    template.add(face(0), 3)
    template.add(face(90), 4)
    expect([...template.vector()]).toEqual([expect.closeTo(0.6, 6), expect.closeTo(0.8, 6)])
    expect(template.cosine(face(90))).toBeCloseTo(0.8, 6)
    expect(template.size).toBe(2)
  })

  it('agrees with nobody while it is empty', () => {
    expect(new Template().cosine(face(0))).toBe(0)
  })
})

describe('TrackIdentity', () => {
  const track = () => new TrackIdentity(options)
  /** Adds a face, takes the answer, and gets what it claims; what became of the identity. */
  const see = (identity: TrackIdentity, degrees: number, hits: readonly GalleryHit[], live?: number) => {
    const template = identity.add({ embedding: face(degrees), quality: 1, ...(live === undefined ? {} : { live }) })
    if (template) identity.answer(hits)
    const changed = identity.settle(true)
    const { status, subject } = identity.identity
    return [changed, status, subject]
  }

  it('is a candidate first, and confirmed by the third agreeing answer', () => {
    const identity = track()
    expect(see(identity, 0, ada)).toEqual([true, 'candidate', 'ada'])
    expect(see(identity, 5, ada)).toEqual([false, 'candidate', 'ada'])
    expect(see(identity, 10, ada)).toEqual([true, 'confirmed', 'ada'])
    expect(see(identity, 0, [hit('ada', 0.95)])).toEqual([false, 'confirmed', 'ada'])
    expect(identity.identity).toMatchObject({ similarity: 0.95, margin: 0.95 })
  })

  it('counts only answers in a row', () => {
    const identity = track()
    const story = [ada, ada, [hit('ada', 0.5)], ada, ada].map((hits) => see(identity, 0, hits)[1])
    expect(story).toEqual(['candidate', 'candidate', 'unknown', 'candidate', 'candidate'])
    expect(see(identity, 0, ada)).toEqual([true, 'confirmed', 'ada'])
  })

  it('a candidate changes with the answer, and starts to count anew', () => {
    const identity = track()
    see(identity, 0, ada)
    see(identity, 0, ada)
    expect(see(identity, 0, bob)).toEqual([true, 'candidate', 'bob'])
    expect(see(identity, 0, bob)).toEqual([false, 'candidate', 'bob'])
    expect(see(identity, 0, bob)).toEqual([true, 'confirmed', 'bob'])
  })

  it('keeps a confirmed name when the face is hard to see, and corrects it after three other answers', () => {
    const identity = track()
    for (let n = 0; n < 3; n++) see(identity, 0, ada)
    expect(see(identity, 0, [])).toEqual([false, 'confirmed', 'ada'])
    expect(see(identity, 0, bob)).toEqual([false, 'confirmed', 'ada'])
    expect(see(identity, 0, bob)).toEqual([false, 'confirmed', 'ada'])
    expect(see(identity, 0, bob)).toEqual([true, 'corrected', 'bob'])
  })

  it('is nobody while another face of the frame is who it claims to be, and loses a name it had', () => {
    const identity = track()
    for (let n = 0; n < 3; n++) see(identity, 0, ada)
    expect(identity.claim).toEqual({ subject: 'ada', similarity: 0.9, proven: true, held: true })
    expect(identity.settle(false)).toBe(true)
    expect(identity.identity.status).toBe('unknown')
    expect(identity.settle(false)).toBe(false)
    // Alone again in the picture it is who it was, from the next look on; that is no correction.
    expect(identity.claim).toBeUndefined()
    expect(see(identity, 0, ada)).toEqual([true, 'confirmed', 'ada'])
  })

  it('says the same again when nothing new came in between', () => {
    const identity = track()
    for (let n = 0; n < 3; n++) see(identity, 0, ada)
    const before = identity.identity
    expect(identity.settle(true)).toBe(false)
    expect(identity.identity).toEqual(before)
  })

  it('a wrong first name is overturned by later evidence, and says so', () => {
    const identity = track()
    for (let n = 0; n < 3; n++) see(identity, 0, [hit('bob', 0.62), hit('ada', 0.5)])
    expect(identity.identity).toMatchObject({ status: 'confirmed', subject: 'bob' })
    const later = [hit('ada', 0.7), hit('bob', 0.6)]
    expect([see(identity, 0, later), see(identity, 0, later), see(identity, 0, later)]).toEqual([
      [false, 'confirmed', 'bob'],
      [false, 'confirmed', 'bob'],
      [true, 'corrected', 'ada'],
    ])
    expect(identity.identity.evidence).toEqual({
      embeddings: 6,
      agreeing: 3,
      similarity: 0.7,
      margin: expect.closeTo(0.1, 9),
      runnerUp: 'bob',
    })
  })

  it('withdraws a name that as many answers in a row as confirmed it do not support', () => {
    const identity = track()
    for (let n = 0; n < 3; n++) see(identity, 0, ada)
    const doubtful = [hit('ada', 0.59)]
    expect([doubtful, doubtful, doubtful].map((hits) => see(identity, 0, hits)[1])).toEqual([
      'confirmed',
      'confirmed',
      'unknown',
    ])
    // Still above the threshold, only not clearly first: that does not speak against the name.
    const close = track()
    for (let n = 0; n < 3; n++) see(close, 0, ada)
    const twin = [hit('ada', 0.8), hit('bob', 0.79)]
    expect([twin, twin, twin, twin].map((hits) => see(close, 0, hits)[1])).toEqual(Array(4).fill('confirmed'))
  })

  it('never names anybody from one face', () => {
    expect(() => new TrackIdentity({ ...options, confirmEmbeddings: 1 })).toThrow(RangeError)
    const identity = new TrackIdentity({ ...options, confirmEmbeddings: 2 })
    expect([see(identity, 0, ada)[1], see(identity, 0, ada)[1]]).toEqual(['candidate', 'confirmed'])
  })

  it('tells what it rests on, also while it is nobody', () => {
    const identity = track()
    expect(identity.identity).toEqual({ status: 'unknown', evidence: { embeddings: 0, agreeing: 0 } })
    see(identity, 0, [hit('ada', 0.5), hit('bob', 0.3)])
    expect(identity.identity).toEqual({
      status: 'unknown',
      evidence: { embeddings: 1, agreeing: 0, similarity: 0.5, margin: 0.2 },
    })
  })

  describe('under require', () => {
    const guarded = () => new TrackIdentity({ ...options, requireLive: true })

    it('is a candidate until it is judged live, and says so with the name', () => {
      const identity = guarded()
      expect([1, 2].map(() => see(identity, 0, ada, 0.9)[1])).toEqual(['candidate', 'candidate'])
      expect(see(identity, 0, ada, 0.9)).toEqual([true, 'confirmed', 'ada'])
      expect(identity.liveness).toEqual({ verdict: 'live', score: expect.closeTo(0.9, 9) })
    })

    it('a spoof and a face that cannot be judged stay candidates for ever', () => {
      const spoof = guarded()
      for (let n = 0; n < 10; n++) see(spoof, 0, ada, 0.01)
      expect([spoof.identity.status, spoof.liveness.verdict]).toEqual(['candidate', 'spoof'])
      const unchecked = guarded()
      for (let n = 0; n < 10; n++) see(unchecked, 0, ada)
      expect([unchecked.identity.status, unchecked.liveness]).toEqual(['candidate', { verdict: 'unchecked' }])
    })

    it('a spoof verdict takes the name away', () => {
      const identity = guarded()
      for (let n = 0; n < 3; n++) see(identity, 0, ada, 0.6)
      expect(identity.identity.status).toBe('confirmed')
      const story = [0, 0, 0, 0, 0].map((live) => see(identity, 0, ada, live))
      expect(story.findIndex(([changed]) => changed)).toBeGreaterThan(0)
      expect(story.at(-1)).toEqual([false, 'candidate', 'ada'])
    })

    it('another face on the track does not inherit the verdict', () => {
      const identity = guarded()
      for (let n = 0; n < 3; n++) see(identity, 0, ada, 0.9)
      // Bob’s photograph is held in front of Ada’s face.
      const story = [1, 2, 3, 4].map(() => see(identity, 90, bob, 0.05)[1])
      expect(story).toEqual(['confirmed', 'confirmed', 'candidate', 'candidate'])
      expect(identity.identity.subject).toBe('bob')
      expect(identity.liveness.verdict).toBe('spoof')
    })
  })

  it('a verdict that changes is a revision of its own; without require it decides nothing', () => {
    const identity = track()
    for (let n = 0; n < 3; n++) see(identity, 0, ada, 0.38)
    expect([identity.identity.status, identity.liveness.verdict]).toEqual(['confirmed', 'unchecked'])
    expect(see(identity, 0, ada, 0)).toEqual([true, 'confirmed', 'ada'])
    expect(identity.liveness.verdict).toBe('spoof')
  })

  describe('when the face becomes another person’s', () => {
    const confirmed = () => {
      const identity = track()
      for (let n = 0; n < 3; n++) see(identity, 0, ada)
      return identity
    }

    it('asks nothing for a stranger, and leaves the template as it is', () => {
      const identity = confirmed()
      expect(identity.add({ embedding: face(90), quality: 1 })).toBeUndefined()
      expect(identity.add({ embedding: face(90), quality: 1 })).toBeUndefined()
      expect([...identity.add({ embedding: face(0), quality: 1 })!]).toEqual([1, 0])
    })

    it('starts anew from three strangers in a row who agree', () => {
      const identity = confirmed()
      see(identity, 90, bob)
      see(identity, 90, bob)
      expect([...identity.add({ embedding: face(90), quality: 1 })!]).toEqual([expect.closeTo(0, 6), 1])
    })

    it('strangers apart, or unlike one another, start nothing', () => {
      const apart = confirmed()
      expect([90, 90, 0, 90, 90].map((degrees) => see(apart, degrees, bob)[0])).not.toContain(true)
      const unlike = confirmed()
      expect([90, 180, 270, 180].map((degrees) => unlike.add({ embedding: face(degrees), quality: 1 }))).toEqual(
        Array(4).fill(undefined),
      )
    })

    it('takes the other name at once, for three faces stand behind it', () => {
      const identity = confirmed()
      expect([90, 90, 90].map((degrees) => see(identity, degrees, bob))).toEqual([
        [false, 'confirmed', 'ada'],
        [false, 'confirmed', 'ada'],
        [true, 'corrected', 'bob'],
      ])
    })

    it('loses the name when nobody is known by the new face', () => {
      const identity = confirmed()
      see(identity, 90, [])
      see(identity, 90, [])
      expect(see(identity, 90, [hit('ada', 0.5)])).toEqual([true, 'unknown', undefined])
      expect(identity.identity).toMatchObject({ status: 'unknown' })
    })

    it('keeps the name when it was the same person after all', () => {
      const identity = confirmed()
      see(identity, 60, ada)
      see(identity, 60, ada)
      expect(see(identity, 60, ada)).toEqual([false, 'confirmed', 'ada'])
    })

    it('one face alone confirms nothing, however often strangers follow', () => {
      const identity = track()
      see(identity, 0, ada)
      for (const degrees of [90, 200]) see(identity, degrees, ada)
      expect(identity.identity.status).toBe('candidate')
    })
  })
})
