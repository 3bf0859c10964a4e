/**
 * Whether any other picture leans on a coded one, read from its packet: H.264 (ITU-T H.264, 7.3–7.4) and HEVC (H.265, 7.3–7.4), with lengths
 * (ISO/IEC 14496-15) or start codes. Pure; session host only. Says `false` wherever it is not certain: a picture that is left out wrongly
 * spoils all that follow it.
 */
import type { AVCodecID } from 'node-av'
import { AV_CODEC_ID_H264, AV_CODEC_ID_HEVC } from 'node-av/constants'
import { BitReader } from './bit-reader.ts'

/** `true`: without this packet, whose pictures it holds, every other picture is decoded to the same pixels. Packets in order. */
export type LoneTest = (packet: Uint8Array) => boolean

/** What is read of one NAL unit. */
interface Syntax {
  /** Takes note of a sequence parameter set. */
  parameters(nal: Uint8Array): void
  /** `undefined`: no part of a picture. */
  isLone(nal: Uint8Array): boolean | undefined
  /** Parameter sets of a configuration record, and how many bytes the lengths in packets have. */
  configuration(record: Uint8Array): { sets: Uint8Array[]; lengthBytes: number }
}

/** A test for one stream; `null` for codecs that are not read. `extradata` as FFmpeg has it: a configuration record or NAL units. */
export function loneTest(codec: AVCodecID, extradata: Uint8Array | null): LoneTest | null {
  const syntax = codec === AV_CODEC_ID_H264 ? h264() : codec === AV_CODEC_ID_HEVC ? hevc() : null
  if (!syntax) return null
  let lengthBytes = 0
  if (extradata && extradata.length > 6) {
    const isRecord = extradata[0] === 1
    const { sets, lengthBytes: bytes } = isRecord
      ? syntax.configuration(extradata)
      : { sets: nalUnits(extradata, 0), lengthBytes: 0 }
    for (const set of sets) syntax.parameters(set)
    lengthBytes = bytes
  }
  return (packet) => {
    let lone: boolean | undefined
    for (const nal of nalUnits(packet, lengthBytes)) {
      syntax.parameters(nal)
      const one = syntax.isLone(nal)
      if (one !== undefined) lone = one && lone !== false
    }
    return lone === true
  }
}

const H264_SPS = 7
/** Profiles whose parameter sets go on with the format of chroma (7.3.2.1.1). */
const HIGH_PROFILES: ReadonlySet<number> = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135])

/**
 * By nal_ref_idc. Of interlaced material nothing is left out: two fields may lie in two packets, and one without the other is half a
 * picture.
 */
function h264(): Syntax {
  /** By id of the set; which of them a slice refers to stands in another set. */
  const framesOnly = new Map<number, boolean>()
  return {
    parameters(nal) {
      if ((nal[0]! & 31) !== H264_SPS) return
      const { id, isFramesOnly } = readSps(nal)
      framesOnly.set(id, isFramesOnly)
    },
    isLone(nal) {
      const type = nal[0]! & 31
      if (type < 1 || type > 5) return undefined
      return nal[0]! >> 5 === 0 && framesOnly.size > 0 && [...framesOnly.values()].every(Boolean)
    },
    configuration(record) {
      const cursor = { at: 6 }
      const sets = Array.from({ length: record[5]! & 31 }, () => sized(record, cursor))
      return { sets, lengthBytes: (record[4]! & 3) + 1 }
    },
  }
}

/** seq_parameter_set_id and frame_mbs_only_flag, `false` where that hides behind scaling lists. */
function readSps(sps: Uint8Array): { id: number; isFramesOnly: boolean } {
  const bits = new BitReader(sps.subarray(1))
  const profile = bits.read(8)
  bits.read(16)
  return { id: bits.golomb(), isFramesOnly: readFramesOnly(bits, profile) }
}

/** From behind the id on. */
function readFramesOnly(bits: BitReader, profile: number): boolean {
  if (HIGH_PROFILES.has(profile)) {
    if (bits.golomb() === 3) bits.read(1)
    bits.golomb()
    bits.golomb()
    bits.read(1)
    if (bits.read(1) === 1) return false
  }
  bits.golomb()
  const orderType = bits.golomb()
  if (orderType === 0) bits.golomb()
  if (orderType === 1) {
    bits.read(1)
    bits.golomb()
    bits.golomb()
    for (let left = bits.golomb(); left > 0 && !bits.over; left--) bits.golomb()
  }
  bits.golomb()
  bits.read(1)
  bits.golomb()
  bits.golomb()
  return bits.read(1) === 1 && !bits.over
}

const HEVC_SPS = 33
const FIRST_NON_VCL = 32
/** Even types up to here are sub-layer non-reference pictures (table 7-1). */
const LAST_NON_REFERENCE = 14

/** Pictures of the highest sub-layer on which none of that sub-layer leans: those of lower ones may be leant on from above. */
function hevc(): Syntax {
  let highest = Number.POSITIVE_INFINITY
  return {
    parameters(nal) {
      if (nal.length > 2 && hevcType(nal) === HEVC_SPS) highest = (nal[2]! >> 1) & 7
    },
    isLone(nal) {
      const type = hevcType(nal)
      if (type >= FIRST_NON_VCL || nal.length < 2) return undefined
      return type <= LAST_NON_REFERENCE && type % 2 === 0 && (nal[1]! & 7) - 1 === highest
    },
    configuration(record) {
      const cursor = { at: 23 }
      const sets: Uint8Array[] = []
      for (let arrays = record[22] ?? 0; arrays > 0; arrays--) {
        const units = sixteen(record, cursor.at + 1)
        cursor.at += 3
        for (let n = 0; n < units; n++) sets.push(sized(record, cursor))
      }
      return { sets, lengthBytes: (record[21]! & 3) + 1 }
    },
  }
}

const hevcType = (nal: Uint8Array) => (nal[0]! >> 1) & 63

const sixteen = (bytes: Uint8Array, at: number) => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)

/** The unit behind its length in 16 bits; moves `cursor` behind it. */
function sized(record: Uint8Array, cursor: { at: number }): Uint8Array {
  const start = cursor.at + 2
  cursor.at = start + sixteen(record, cursor.at)
  return record.subarray(start, cursor.at)
}

/** None that is empty. `lengthBytes` 0: start codes. */
function nalUnits(bytes: Uint8Array, lengthBytes: number): Uint8Array[] {
  const units = lengthBytes === 0 ? byStartCodes(bytes) : byLengths(bytes, lengthBytes)
  return units.filter(({ length }) => length > 0)
}

function byLengths(bytes: Uint8Array, lengthBytes: number): Uint8Array[] {
  const units: Uint8Array[] = []
  for (let at = 0; at + lengthBytes < bytes.length; ) {
    let length = 0
    for (let n = 0; n < lengthBytes; n++) length = length * 256 + bytes[at++]!
    units.push(bytes.subarray(at, at + length))
    at += length
  }
  return units
}

function byStartCodes(bytes: Uint8Array): Uint8Array[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const units: Uint8Array[] = []
  for (let at = buffer.indexOf(START_CODE); at >= 0; ) {
    const next = buffer.indexOf(START_CODE, at + START_CODE.length)
    units.push(bytes.subarray(at + START_CODE.length, next < 0 ? bytes.length : next))
    at = next
  }
  return units
}

const START_CODE = Buffer.from([0, 0, 1])
