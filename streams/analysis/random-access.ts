/**
 * Where a coded video can be entered: packets from which on everything decodes as it does in the whole stream. Pure.
 * The container's key-frame flag is not enough: FFmpeg sets it for H.264 recovery points as well, after which pictures may
 * refer to what was before.
 */

/** NAL unit types: ITU-T H.264 table 7-1, H.265 table 7-1. */
const H264_IDR = 5
const HEVC_FIRST_IRAP = 16
const HEVC_LAST_IRAP = 21
const HEVC_LAST_SLICE = 31

/**
 * Whether decoding may begin at a packet that is flagged as a key frame. For HEVC a clean random access counts as well: the
 * pictures that refer to before it are shown before it, and the cut leaves those out.
 * `extradata`: of the stream; it says whether NAL units have lengths (avcC, hvcC) or start codes.
 */
export function isRandomAccess(codec: string, packet: Uint8Array, extradata: Uint8Array | null): boolean {
  if (codec === 'h264') {
    for (const header of nalHeaders(packet, lengthSize(extradata, 4))) {
      const type = header & 0x1f
      if (type >= 1 && type <= H264_IDR) return type === H264_IDR
    }
    return false
  }
  if (codec === 'hevc') {
    for (const header of nalHeaders(packet, lengthSize(extradata, 21))) {
      const type = (header >> 1) & 0x3f
      if (type <= HEVC_LAST_SLICE) return type >= HEVC_FIRST_IRAP && type <= HEVC_LAST_IRAP
    }
    return false
  }
  return true
}

/** Bytes of a NAL unit's length; 0 with start codes (ISO/IEC 14496-15: configurationVersion is 1). */
function lengthSize(extradata: Uint8Array | null, position: number): number {
  const configured = extradata?.[0] === 1 && extradata.length > position
  return configured ? ((extradata[position] ?? 0) & 3) + 1 : 0
}

function* nalHeaders(packet: Uint8Array, lengthBytes: number): Generator<number> {
  if (lengthBytes > 0) {
    for (let at = 0; at + lengthBytes < packet.length; ) {
      let length = 0
      for (let i = 0; i < lengthBytes; i++) length = length * 256 + packet[at + i]!
      yield packet[at + lengthBytes]!
      at += lengthBytes + length
    }
    return
  }
  for (let at = 0; at + 3 < packet.length; at++) {
    if (packet[at] === 0 && packet[at + 1] === 0 && packet[at + 2] === 1) {
      yield packet[at + 3]!
      at += 3
    }
  }
}
