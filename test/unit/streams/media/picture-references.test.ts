import { AV_CODEC_ID_H264, AV_CODEC_ID_HEVC, AV_CODEC_ID_VP9 } from 'node-av/constants'
import { describe, expect, it } from 'vitest'
import { BitReader } from '../../../../streams/media/bit-reader.ts'
import { loneTest } from '../../../../streams/media/picture-references.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')
/** Sequence parameter sets that x264 writes for 320×180: frames alone, and with fields. */
const PROGRESSIVE = '6764000cacd941419f9f011000000300100000030300f1429960'
const INTERLACED = '67640015acd941433f260220000003002000000603e28532c0'
/** The same set under the id 1: ue(v) 010 in the place of 1. */
const withId1 = (sps: string) => {
  const bits = [...hex(sps).subarray(4)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const bytes = `010${bits.slice(1)}000000`.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2))
  return sps.slice(0, 8) + Buffer.from(bytes).toString('hex')
}
const avcc = (sps: string) => {
  const bytes = hex(sps)
  return Buffer.concat([hex('01 64 00 0c ff e1'), Buffer.from([0, bytes.length]), bytes, hex('01 00 04 68 eb e3 cb')])
}

describe('BitReader', () => {
  it('reads Exp-Golomb codes as table 9-2 of H.264 has them, and passes over emulation prevention', () => {
    // 1 010 011 00100 00101 00110 00111 0001000
    const bits = new BitReader(Buffer.from([0b10100110, 0b01000010, 0b10011000, 0b11100010, 0b00000000]))
    expect(Array.from({ length: 8 }, () => bits.golomb())).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    const escaped = new BitReader(hex('00 00 03 01 80'))
    expect([escaped.read(24), escaped.read(1), escaped.over]).toEqual([1, 1, false])
  })

  it('says when there was too little, and ends', () => {
    const bits = new BitReader(hex('00'))
    bits.golomb()
    expect(bits.over).toBe(true)
  })
})

describe('loneTest', () => {
  it('of H.264 goes by nal_ref_idc of all slices', () => {
    const lone = loneTest(AV_CODEC_ID_H264, avcc(PROGRESSIVE))!
    expect(lone(hex('00000002 0180'))).toBe(true)
    expect(lone(hex('00000002 4180'))).toBe(false)
    expect(lone(hex('00000002 0180 00000002 4180'))).toBe(false)
    expect(lone(hex('00000002 4180 00000002 0180'))).toBe(false)
    // Supplemental information before the slice; then nothing of a picture at all; then a packet that is cut off.
    expect(lone(hex('00000002 0605 00000002 0180'))).toBe(true)
    expect(lone(hex('00000002 0605'))).toBe(false)
    expect(lone(hex('0000'))).toBe(false)
  })

  it('knows of no lone pictures before it has parameter sets, and takes them from packets', () => {
    const lone = loneTest(AV_CODEC_ID_H264, null)!
    expect(lone(hex('000001 0180'))).toBe(false)
    expect(lone(hex(`00000001 ${PROGRESSIVE} 000001 6580`))).toBe(false)
    expect(lone(hex('000001 0180'))).toBe(true)
  })

  it('spares nothing of interlaced H.264, where a field may have a packet of its own', () => {
    const lone = loneTest(AV_CODEC_ID_H264, avcc(INTERLACED))!
    expect(lone(hex('00000002 0180'))).toBe(false)
  })

  it('spares nothing while any of several parameter sets may mean fields', () => {
    const lone = loneTest(AV_CODEC_ID_H264, null)!
    lone(hex(`000001 ${withId1(INTERLACED)} 000001 ${PROGRESSIVE} 000001 6580`))
    expect(lone(hex('000001 0180'))).toBe(false)
    lone(hex(`000001 ${withId1(PROGRESSIVE)} 000001 6580`))
    expect(lone(hex('000001 0180'))).toBe(true)
  })

  it('of HEVC goes by the highest sub-layer alone', () => {
    const sps = (subLayers: number) => `000001 4201 ${(((subLayers - 1) << 1) | 1).toString(16).padStart(2, '0')} 01`
    // TRAIL_N and TRAIL_R of sub-layer 0, TSA_N of sub-layer 1.
    const [n0, r0, n1] = ['000001 0001 80', '000001 0201 80', '000001 0402 80'].map(hex) as [Buffer, Buffer, Buffer]
    const one = loneTest(AV_CODEC_ID_HEVC, hex(sps(1)))!
    expect([one(n0), one(r0)]).toEqual([true, false])
    const two = loneTest(AV_CODEC_ID_HEVC, hex(sps(2)))!
    expect([two(n0), two(r0), two(n1)]).toEqual([false, false, true])
    const unknown = loneTest(AV_CODEC_ID_HEVC, null)!
    expect(unknown(n0)).toBe(false)
  })

  it('has nothing to say of other codecs', () => {
    expect(loneTest(AV_CODEC_ID_VP9, null)).toBeNull()
  })
})
