/** Which packets make a piece: entries, leading pictures, clean breaks, the sound around them. */
import { describe, expect, it } from 'vitest'
import { planAudioCut, planVideoCut, type VideoPacket } from '../../../streams/analysis/cut-plan.ts'
import { isRandomAccess } from '../../../streams/analysis/random-access.ts'

/** Presentation times in decoding order, an entry where it is followed by `*`; each picture lasts 1. */
function stream(text: string, change: (packet: VideoPacket) => void = () => undefined): VideoPacket[] {
  return text.split(' ').map((word, dts) => {
    const packet = { pts: Number.parseInt(word, 10), dts, duration: 1, entry: word.endsWith('*'), unusable: false }
    change(packet)
    return packet
  })
}

const wanted = { from: 8, to: 14, tolerance: 4, max: 20 }
/** Closed groups of 8 with B-frames: I P B B P B B P. */
const closed = '0* 3 1 2 6 4 5 7 8* 11 9 10 14 12 13 15 16* 19 17 18'

describe('planVideoCut', () => {
  it('begins at the entry before, and ends at a clean break after', () => {
    expect(planVideoCut(stream(closed), wanted)).toEqual({ kind: 'cut', first: 8, start: 8, end: 15, stop: 15 })
    expect(planVideoCut(stream(closed), { ...wanted, from: 11 })).toMatchObject({ first: 8, start: 8 })
  })

  it('leaves out the pictures before an entry that are shown earlier', () => {
    const open = '0* 3 1 2 6* 4 5 9 7 8 10'
    expect(planVideoCut(stream(open), { from: 6, to: 9, tolerance: 0, max: 9 })).toEqual({
      kind: 'cut',
      first: 4,
      start: 6,
      end: 10,
      stop: 10,
    })
  })

  it('is never longer than it may be', () => {
    expect(planVideoCut(stream(closed), { ...wanted, max: 6 })).toMatchObject({ end: 12, stop: 12 })
    expect(planVideoCut(stream(closed), { ...wanted, max: 0.5 })).toMatchObject({ kind: 'refused' })
  })

  it('takes the first entry where nothing is before it, at the beginning alone', () => {
    expect(planVideoCut(stream('2* 3 4 5'), { from: 0, to: 5, tolerance: 4, max: 9 })).toMatchObject({
      kind: 'cut',
      start: 2,
    })
    expect(planVideoCut(stream('1 2 3* 4 5'), { from: 2, to: 5, tolerance: 4, max: 9 })).toMatchObject({
      kind: 'refused',
    })
  })

  it.each([
    ['an entry too early', stream('0* 1 2 3 4 5 6 7 8 9'), /too early/],
    ['no entry', stream('7 8 9'), /no picture can be decoded/],
    ['no times', stream(closed, (p) => Object.assign(p, p.pts === 10 ? { dts: null } : {})), /gives no times/],
    [
      'hidden pictures',
      stream(closed, (p) => Object.assign(p, p.pts === 10 ? { unusable: true } : {})),
      /damaged or hidden/,
    ],
  ])('refuses %s', (_, packets, reason) => {
    expect(planVideoCut(packets, wanted)).toMatchObject({ kind: 'refused', reason: expect.stringMatching(reason) })
  })
})

describe('planAudioCut', () => {
  const packets = Array.from({ length: 10 }, (_, i) => ({ pts: i * 10, duration: 10 }))
  it('begins one packet before the one that sounds, and ends with the last that does', () => {
    expect(planAudioCut(packets, 35, 70)).toEqual([2, 7])
    expect(planAudioCut(packets, 0, 15)).toEqual([0, 2])
    expect(planAudioCut(packets, 95, 500)).toEqual([8, 10])
  })
  it('is nothing where nothing sounds', () => {
    expect(planAudioCut(packets, 100, 120)).toEqual([0, 0])
    expect(planAudioCut([{ pts: 50, duration: 10 }], 10, 20)).toEqual([0, 0])
  })
})

describe('isRandomAccess', () => {
  const avcC = Uint8Array.of(1, 100, 0, 31, 0xff)
  const hvcC = new Uint8Array(23)
  hvcC.set([1])
  hvcC[21] = 0xf3
  it('tells an IDR from a recovery point, with lengths and with start codes', () => {
    const sei = [0, 0, 0, 2, 6, 1]
    expect(isRandomAccess('h264', Uint8Array.of(...sei, 0, 0, 0, 2, 0x65, 9), avcC)).toBe(true)
    expect(isRandomAccess('h264', Uint8Array.of(...sei, 0, 0, 0, 2, 0x41, 9), avcC)).toBe(false)
    expect(isRandomAccess('h264', Uint8Array.of(0, 0, 0, 1, 9, 16, 0, 0, 1, 0x65, 9), null)).toBe(true)
    expect(isRandomAccess('h264', Uint8Array.of(0, 0, 1, 0x41, 9, 0, 0), null)).toBe(false)
  })
  it('takes a clean random access of HEVC, and any key frame of codecs without references across', () => {
    const slice = (type: number) => Uint8Array.of(0, 0, 0, 3, type << 1, 1, 9)
    expect([19, 20, 21, 1].map((type) => isRandomAccess('hevc', slice(type), hvcC))).toEqual([true, true, true, false])
    expect(isRandomAccess('vp9', Uint8Array.of(1), null)).toBe(true)
  })
})
