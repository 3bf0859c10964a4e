import { Packet } from 'node-av'
import { AV_PKT_DATA_NEW_EXTRADATA, AV_PKT_FLAG_CORRUPT, AV_PKT_FLAG_DISCARD } from 'node-av/constants'
import { describe, expect, it } from 'vitest'
import { SparedPictures } from '../../../../streams/media/spared-pictures.ts'

/** Slots of 100 ms; a picture is lone when its first byte says so. */
function sparing() {
  const pictures = new SparedPictures({
    isLone: (bytes) => bytes[0] === 1,
    timeOf: ({ pts }) => (pts < 0n ? null : Number(pts)),
    slotOf: (ptsMs) => Math.floor(ptsMs / 100),
  })
  const spares = (ptsMs: number, lone: boolean, ...flags: Packet['flags'][]) => {
    using packet = new Packet()
    packet.alloc()
    packet.data = Buffer.from([lone ? 1 : 0])
    packet.pts = BigInt(ptsMs)
    packet.setFlags(...flags)
    return pictures.spares(packet)
  }
  return { pictures, spares }
}

describe('SparedPictures', () => {
  it('spares what is lone and not the first of its slot, in the order of decoding, and counts it before the next that comes out', () => {
    const { pictures, spares } = sparing()
    // Shown as 0 20 40 60 80 100 120 140 160; 80 and 160 are leant on, and 40 and 120.
    expect(spares(0, false)).toBe(false)
    expect(pictures.before(0)).toBe(0)
    const order = [80, 40, 20, 60, 160, 120, 100, 140]
    expect(order.filter((ptsMs) => spares(ptsMs, ptsMs % 40 !== 0))).toEqual([20, 60, 140])
    expect([40, 80, 100, 120, 160].map((ptsMs) => pictures.before(ptsMs))).toEqual([1, 1, 0, 0, 1])
    expect(pictures.rest()).toBe(0)
  })

  it('counts at the end what was spared behind the last picture', () => {
    const { pictures, spares } = sparing()
    spares(0, false)
    pictures.before(0)
    expect([spares(20, true), spares(40, true)]).toEqual([true, true])
    expect([pictures.rest(), pictures.rest()]).toEqual([2, 0])
  })

  it('spares nothing before a picture has come out, and nothing that is shown before it', () => {
    const { pictures, spares } = sparing()
    expect([spares(0, true), spares(20, true)]).toEqual([false, false])
    pictures.before(60)
    expect([spares(40, true), spares(60, true), spares(80, true)]).toEqual([false, false, true])
  })

  it('leaves to the decoder what has no time, is damaged, or is to be discarded, and such a packet is nobody’s first', () => {
    const { pictures, spares } = sparing()
    spares(0, false)
    pictures.before(0)
    expect(spares(-1, true)).toBe(false)
    expect(pictures.before(null)).toBe(0)
    expect(spares(40, true, AV_PKT_FLAG_CORRUPT)).toBe(false)
    expect(spares(100, false, AV_PKT_FLAG_DISCARD)).toBe(false)
    expect(spares(120, true)).toBe(false)
  })
  it('spares nothing any more once parameter sets came beside a packet', () => {
    const { pictures, spares } = sparing()
    spares(0, false)
    pictures.before(0)
    using packet = new Packet()
    packet.alloc()
    packet.data = Buffer.from([0])
    packet.pts = 10n
    packet.addSideData(AV_PKT_DATA_NEW_EXTRADATA, Buffer.from([1]))
    expect(pictures.spares(packet)).toBe(false)
    expect(spares(20, true)).toBe(false)
  })
})
