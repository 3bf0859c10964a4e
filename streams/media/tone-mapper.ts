/**
 * HDR made into what everything behind knows: BT.709, 8 bits, narrow range, with its tags. Session host only.
 * PQ and HLG are made linear light for a screen, their colours brought into BT.709, and the highlights bent below white; BT.2020
 * with an SDR transfer needs its colours brought in alone. Pictures that are none of these pass as they are, ten bits included:
 * whoever scales them makes bytes of them.
 *
 * zscale is zimg: display-referred, HLG with its OOTF for a screen of 1000 cd/m² (BT.2100), BT.709 out by BT.1886. Its tables apply
 * that OOTF to each component instead of to the luminance: colours are off by up to 3 of 255, greys are exact; without the tables
 * (agamma=false) all is exact, at 69 ms for a picture of 1080p instead of 30. Möbius (tonemap)
 * leaves what is below KNEE as it is, so that shadows and middle tones, which features are found in, keep their contrast; Hable bends
 * those as well. `tonemapx` of this FFmpeg takes 11 ms for 1080p where this takes 29 ms, but exists in one fork alone and aborts the
 * process on formats that it does not expect.
 */
import type { Frame } from 'node-av'
import { AV_FRAME_DATA_CONTENT_LIGHT_LEVEL, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA } from 'node-av/constants'
import { colourOf } from './colour-info.ts'
import { FilterChain, type FilterStep } from './filter-chain.ts'

/** HDR reference white (ITU-R BT.2408), cd/m²: becomes linear 1 before the highlights are bent. */
export const REFERENCE_WHITE_NITS = 203
/** Where a picture does not say how bright it gets, and of HLG always (BT.2100: nominal peak), cd/m². */
const USUAL_PEAK_NITS = 1000
/** Linear light below this share of the reference white stays as it is (tonemap's own default). */
export const KNEE = 0.3

type Hdr = NonNullable<ReturnType<typeof colourOf>['hdr']>

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
    this.#chain = new FilterChain(
      frame,
      stepsFor(hdr, input({ primaries, transfer, matrix, range }), hdr === 'pq' ? peakNits(frame) : USUAL_PEAK_NITS),
    )
    return this.#chain
  }
}

/** What the picture leaves unsaid is as BT.2100 has it. */
function input(colour: Record<'primaries' | 'transfer' | 'matrix' | 'range', string>): string {
  const or = (value: string, usual: string) => (value === 'unknown' ? usual : value)
  return [
    `primariesin=${or(colour.primaries, 'bt2020')}`,
    `transferin=${or(colour.transfer, 'bt2020-10')}`,
    `matrixin=${or(colour.matrix, 'bt2020nc')}`,
    `rangein=${or(colour.range, 'tv')}`,
  ].join(':')
}

function stepsFor(hdr: Hdr, from: string, peak: number): FilterStep[] {
  const out = 'primaries=bt709:transfer=bt709:matrix=bt709:range=tv'
  const bytes: FilterStep = ['format', 'pix_fmts=yuv420p']
  // Linear light needs more than integers.
  const linear: FilterStep = ['format', 'pix_fmts=gbrpf32le']
  const light: FilterStep = ['zscale', `${from}:transfer=linear:npl=${REFERENCE_WHITE_NITS}`]
  const gamut: FilterStep = ['zscale', 'primaries=bt709']
  if (hdr === 'bt2020') return [['zscale', `${from}:transfer=linear`], linear, gamut, ['zscale', out], bytes]
  const white = peak / REFERENCE_WHITE_NITS
  return [
    light,
    linear,
    gamut,
    ['tonemap', `tonemap=mobius:param=${KNEE}:desat=0:peak=${white}`],
    ['zscale', out],
    bytes,
  ]
}

/** How bright the material gets, cd/m²: MaxCLL (CTA-861.3), else the mastering display (ST 2086), else the usual. */
function peakNits(frame: Frame): number {
  const level = frame.getSideData(AV_FRAME_DATA_CONTENT_LIGHT_LEVEL)
  const maxCll = level && level.length >= 4 ? level.readUInt32LE(0) : 0
  if (maxCll > REFERENCE_WHITE_NITS) return maxCll
  const mastering = frame.getSideData(AV_FRAME_DATA_MASTERING_DISPLAY_METADATA)
  // AVMasteringDisplayMetadata: eight chromaticities, then the least and the most luminance, each two int32; then two flags.
  if (!mastering || mastering.length < 88 || mastering.readInt32LE(84) === 0) return USUAL_PEAK_NITS
  const nits = mastering.readInt32LE(72) / mastering.readInt32LE(76)
  return nits > REFERENCE_WHITE_NITS ? nits : USUAL_PEAK_NITS
}
