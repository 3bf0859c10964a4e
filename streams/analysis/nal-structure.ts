/**
 * What can be told of an H.264 or H.265 packet without decoding it: whether its units fit together. Pure.
 * In mp4 and Matroska a packet is a row of units, each behind its length (ISO/IEC 14496-15, 5.3.4.2); a bit that is wrong in a
 * length, or a part that is missing, breaks the row. Damage within a unit's payload is not seen: the decoder tells that.
 */

export interface NalFormat {
  codec: 'h264' | 'hevc'
  /** Bytes of a length; 0: units stand behind start codes, and no lengths are to be checked. */
  lengthBytes: number
}

/** How a stream's packets are built, from its codec and the record that the container has of it; `null`: not known. */
export function nalFormat(codec: string, extradata: Uint8Array | null): NalFormat | null {
  if (codec !== 'h264' && codec !== 'hevc') return null
  // Both records begin with their version, 1; a parameter set behind a start code begins with 0.
  if (extradata?.[0] !== 1) return { codec, lengthBytes: 0 }
  const at = codec === 'h264' ? 4 : 21
  const size = extradata[at]
  return size === undefined ? null : { codec, lengthBytes: (size & 3) + 1 }
}

/** What is wrong with `packet`, in a few words; `null`: nothing that shows. */
export function nalProblem(packet: Uint8Array, { codec, lengthBytes }: NalFormat): string | null {
  if (packet.length === 0) return 'an empty packet'
  if (lengthBytes === 0) return null
  let at = 0
  while (at < packet.length) {
    if (at + lengthBytes > packet.length) return 'a unit is cut off'
    let length = 0
    for (let i = 0; i < lengthBytes; i++) length = length * 256 + packet[at + i]!
    at += lengthBytes
    if (length === 0) return 'a unit of no length'
    if (at + length > packet.length) return 'a unit is longer than its packet'
    // forbidden_zero_bit (H.264 7.4.1, H.265 7.4.2.2); H.265's temporal id is never 0 as it is written.
    if (packet[at]! & 0x80) return 'the header of a unit is damaged'
    if (codec === 'hevc' && (length < 2 || (packet[at + 1]! & 7) === 0)) return 'the header of a unit is damaged'
    at += length
  }
  return null
}
