/** What the sizes of coded pictures say: noise that breathes, B-frames, a visitor, an encoder that changes its mind. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PacketActivity } from '../../../../streams/analysis/packet-activity.ts'

/** Deterministic noise in [0, 1). */
function noise(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

function quietened(sizes: (n: number) => number, pictures = 300, fps = 25): PacketActivity {
  const activity = new PacketActivity(fps)
  for (let n = 0; n < pictures; n++) activity.step(sizes(n), 'quiet')
  return activity
}

describe('packet activity', () => {
  it('says nothing before it has seen enough, whatever comes', () => {
    const activity = new PacketActivity(25)
    for (let n = 0; n < 20; n++) {
      activity.step(n * 10_000, 'quiet')
      expect(activity.active).toBe(false)
    }
  })

  it('a breathing encoder is quiet; twice its size for a fifth of a second is not', () => {
    const random = noise(7)
    const size = () => 4000 * (0.7 + 0.6 * random())
    const activity = quietened(size)
    for (let n = 0; n < 500; n++) {
      activity.step(size(), activity.active ? 'unknown' : 'quiet')
      expect(activity.active).toBe(false)
    }
    for (let n = 0; n < 5; n++) activity.step(2 * size(), 'unknown')
    expect(activity.active).toBe(true)
  })

  it('one large picture among small ones, as P among B, is no activity', () => {
    const size = (n: number) => (n % 4 === 0 ? 9000 : 800)
    const activity = quietened(size)
    for (let n = 0; n < 100; n++) {
      activity.step(size(n), 'quiet')
      expect(activity.active).toBe(false)
    }
  })

  it('skipped pictures of a dozen bytes do not make hundreds of bytes a movement, thousands they do', () => {
    const activity = quietened(() => 14)
    for (let n = 0; n < 5; n++) activity.step(40, 'unknown')
    expect(activity.active).toBe(false)
    for (let n = 0; n < 5; n++) activity.step(1500, 'unknown')
    expect(activity.active).toBe(true)
  })

  it('learns what quiet has become while the pictures are looked at', () => {
    const activity = quietened(() => 2000)
    for (let n = 0; n < 5; n++) activity.step(6000, 'unknown')
    expect(activity.active).toBe(true)
    for (let n = 0; n < 400; n++) activity.step(6000, 'quiet')
    expect(activity.active).toBe(false)
  })

  it('false alarms make it less sensitive, for a while, and never deaf', () => {
    const activity = quietened(() => 2000)
    const stir = () => {
      for (let n = 0; n < 5; n++) activity.step(3600, 'unknown')
      return activity.active
    }
    expect(stir()).toBe(true)
    for (let n = 0; n < 20; n++) activity.falseAlarm()
    expect(stir()).toBe(false)
    for (let n = 0; n < 5; n++) activity.step(60_000, 'unknown')
    expect(activity.active).toBe(true)
    for (let n = 0; n < 25_000; n++) activity.step(2000, 'quiet')
    expect(stir()).toBe(true)
  })

  it('scale does not matter above the floor', () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 50, noNaN: true }), fc.integer({ min: 1, max: 1000 }), (factor, seed) => {
        const verdicts = [1, factor].map((scale) => {
          const random = noise(seed)
          const activity = quietened(() => scale * 1000 * (0.8 + 0.4 * random()))
          return Array.from({ length: 60 }, (_, n) => {
            activity.step(scale * 1000 * (n < 30 ? 1 : 2.4), 'unknown')
            return activity.active
          })
        })
        expect(verdicts[1]).toEqual(verdicts[0])
      }),
      { numRuns: 30 },
    )
  })

  it.each([
    ['bytes that follow the picture', 3, 110, true],
    ['a rate that is kept, and a buffer of two seconds', 1.6, 110, false],
    ['a movement too short for the buffer to be spent', 3, 70, false],
  ])('sizes tell after a movement: %s', (_, growth, pictures, tells) => {
    const activity = quietened(() => 2000)
    expect(activity.tells).toBe(false)
    for (let n = 0; n < pictures; n++) activity.step(growth * 2000, 'moving')
    activity.step(2000, 'unknown')
    expect(activity.tells).toBe(tells)
  })
})
