/**
 * HDR made into what everything behind knows: BT.709, 8 bits, narrow range, with its tags. Session host only.
 * PQ and HLG are made linear light for a screen, their colours brought into BT.709, and the highlights bent below white; BT.2020
 * with an SDR transfer needs its colours brought in alone. Pictures that are none of these pass as they are, ten bits included:
 * whoever scales them makes bytes of them.
 *
 * The steps are core/tone-mapping's. zscale's tables apply HLG's OOTF to each component instead of to the luminance: colours are off by up
 * to 3 of 255, greys are exact; without the tables (agamma=false) all is exact, at 69 ms for a picture of 1080p instead of 30.
 * `tonemapx` of this FFmpeg takes 11 ms for 1080p where this takes 29 ms, but exists in one fork alone and aborts the process on formats
 * that it does not expect.
 */
import type { Frame } from 'node-av'
import { AV_FRAME_DATA_CONTENT_LIGHT_LEVEL, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA } from 'node-av/constants'
import { type Hdr, REFERENCE_WHITE_NITS, toneSteps, type ZscaleColour } from '../../core/tone-mapping.ts'
import { colourOf } from './colour-info.ts'
import { FilterChain } from './filter-chain.ts'

export class ToneMapper implements Disposable {
  #chain: FilterChain | undefined
  #signature = ''

  /** The picture in BT.709; takes `frame` over, frees it when another one is given back. Errors: DEC_FAILED. */
  map(frame: Frame): Frame {
    const colour = colourOf(frame)
    if (colour.hdr === null) return frame
    try {
      return this.#chainFor(frame, colour, colour.hdr).run(frame)
    } finally {
      frame.free()
    }
  }

  [Symbol.dispose](): void {
    this.#chain?.[Symbol.dispose]()
    this.#chain = undefined
  }

  /** The peak is that of the first picture of its kind: what changes from picture to picture would flicker. */
  #chainFor(frame: Frame, { primaries, transfer, matrix, range }: ReturnType<typeof colourOf>, hdr: Hdr): FilterChain {
    const signature = [primaries, transfer, matrix, range].join(' ')
    if (this.#chain?.fits(frame) && this.#signature === signature) return this.#chain
    this[Symbol.dispose]()
    this.#signature = signature
    const from = input({ primaries, transfer, matrix, range })
    this.#chain = new FilterChain(frame, [...toneSteps(hdr, from, peakNits(frame)), ['format', 'pix_fmts=yuv420p']])
    return this.#chain
  }
}

/** What the picture leaves unsaid is as BT.2100 has it. */
function input(colour: ZscaleColour): ZscaleColour {
  const or = (value: string, usual: string) => (value === 'unknown' ? usual : value)
  return {
    primaries: or(colour.primaries, 'bt2020'),
    transfer: or(colour.transfer, 'bt2020-10'),
    matrix: or(colour.matrix, 'bt2020nc'),
    range: or(colour.range, 'tv'),
  }
}

/** How bright the material gets, cd/m²: MaxCLL (CTA-861.3), else the mastering display (ST 2086); `null` when it does not say. */
function peakNits(frame: Frame): number | null {
  const level = frame.getSideData(AV_FRAME_DATA_CONTENT_LIGHT_LEVEL)
  const maxCll = level && level.length >= 4 ? level.readUInt32LE(0) : 0
  if (maxCll > REFERENCE_WHITE_NITS) return maxCll
  const mastering = frame.getSideData(AV_FRAME_DATA_MASTERING_DISPLAY_METADATA)
  // AVMasteringDisplayMetadata: eight chromaticities, then the least and the most luminance, each two int32; then two flags.
  if (!mastering || mastering.length < 88 || mastering.readInt32LE(84) === 0) return null
  const nits = mastering.readInt32LE(72) / mastering.readInt32LE(76)
  return nits > REFERENCE_WHITE_NITS ? nits : null
}
