import { describe, expect, it } from 'vitest'
import type { GalleryHit } from '../../../core/observation.ts'
import { acceptedMatch, TrackIdentity } from '../../../streams/analysis/identity.ts'
import { Template } from '../../../streams/analysis/template.ts'

const limits = { matchThreshold: 0.6, minMargin: 0.05 }
const options = { ...limits, confirmEmbeddings: 3 }
const none: ReadonlySet<string> = new Set()
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
  /** Adds a face and judges the answer; what became of the identity. */
  const see = (identity: TrackIdentity, degrees: number, hits: readonly GalleryHit[], taken = none) => {
    const changed = identity.add(face(degrees), 1) !== undefined && identity.judge(hits, taken)
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

  it('is nobody whom another face of the frame is', () => {
    expect(see(track(), 0, ada, new Set(['ada']))).toEqual([false, 'unknown', undefined])
  })

  describe('when the face becomes another person’s', () => {
    const confirmed = () => {
      const identity = track()
      for (let n = 0; n < 3; n++) see(identity, 0, ada)
      return identity
    }

    it('asks nothing for a stranger, and leaves the template as it is', () => {
      const identity = confirmed()
      expect(identity.add(face(90), 1)).toBeUndefined()
      expect(identity.add(face(90), 1)).toBeUndefined()
      expect([...identity.add(face(0), 1)!]).toEqual([1, 0])
    })

    it('starts anew from three strangers in a row who agree', () => {
      const identity = confirmed()
      see(identity, 90, bob)
      see(identity, 90, bob)
      expect([...identity.add(face(90), 1)!]).toEqual([expect.closeTo(0, 6), 1])
    })

    it('strangers apart, or unlike one another, start nothing', () => {
      const apart = confirmed()
      expect([90, 90, 0, 90, 90].map((degrees) => see(apart, degrees, bob)[0])).not.toContain(true)
      const unlike = confirmed()
      expect([90, 180, 270, 180].map((degrees) => unlike.add(face(degrees), 1))).toEqual(Array(4).fill(undefined))
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
      expect(identity.identity).toEqual({ status: 'unknown' })
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
