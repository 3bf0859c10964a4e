import { describe, expect, it } from 'vitest'
import { Rejoin, RejoinMissed } from '../../../../streams/sources/rejoin.ts'

const point = { seq: 3, ptsMs: 120, pixelHash: 'right', file: { sizeBytes: 1, modifiedMs: 1, inode: 1 } }

/** What is said of frames at these times; `hashOf` gives the pixels of each. */
function looks(fromStart: boolean, ptsMs: (number | null)[], hashOf: (n: number) => string = () => 'right') {
  const rejoin = new Rejoin(point, fromStart)
  return ptsMs.map((at, n) => rejoin.look(at, () => hashOf(n)))
}

describe('Rejoin', () => {
  it('behind a seek goes by time, and never looks at the pixels of earlier frames', () => {
    const unseen = (n: number) => {
      if (n < 2) throw new Error('looked at')
      return 'right'
    }
    expect(looks(false, [40, 80, 120.004], unseen)).toEqual(['before', 'before', 'here'])
  })

  it.each([
    ['the seek came out behind it', [160], 'right'],
    ['the frame has other pixels', [80, 120], 'wrong'],
    ['the frame has no time', [null], 'right'],
  ])('is missed where %s', (_, ptsMs, hash) => {
    expect(() => looks(false, ptsMs, () => hash)).toThrow(RejoinMissed)
  })

  it('from the start counts frames, whatever their times say', () => {
    expect(looks(true, [null, 500, null, null])).toEqual(['before', 'before', 'before', 'here'])
  })

  it('from the start, other pixels and an early end are a recording that changed', () => {
    const changed = expect.objectContaining({ code: 'SRC_CHANGED' })
    expect(() => looks(true, [0, 40, 80, 120], () => 'wrong')).toThrow(changed)
    expect(() => new Rejoin(point, true).missed()).toThrow(changed)
  })
})
