/**
 * How HDR becomes BT.709, in figures and as steps of FFmpeg's filters: the same for pictures that are analysed and for clips. Pure.
 *
 * zscale is zimg: display-referred, HLG with its OOTF for a screen of 1000 cd/m² (BT.2100), BT.709 out by BT.1886. Möbius (tonemap)
 * leaves what is below KNEE as it is, so that shadows and middle tones, which features are found in, keep their contrast; Hable bends
 * those as well.
 */
import type { ColourInfo } from './wire/preflight.ts'

/** HDR reference white (ITU-R BT.2408), cd/m²: becomes linear 1 before the highlights are bent. */
export const REFERENCE_WHITE_NITS = 203
/** Where a picture does not say how bright it gets, and of HLG always (BT.2100: nominal peak), cd/m². */
export const USUAL_PEAK_NITS = 1000
/** Linear light below this share of the reference white stays as it is (tonemap's own default). */
export const KNEE = 0.3
/** What comes out, for zscale: BT.709 in narrow range. */
export const BT709 = 'primaries=bt709:transfer=bt709:matrix=bt709:range=tv'

export type Hdr = NonNullable<ColourInfo['hdr']>
/** What a picture is, in zscale's words. */
export type ZscaleColour = Record<'primaries' | 'transfer' | 'matrix' | 'range', string>

export const zscaleInput = ({ primaries, transfer, matrix, range }: ZscaleColour) =>
  `primariesin=${primaries}:transferin=${transfer}:matrixin=${matrix}:rangein=${range}`

/** Filters by name and arguments. `peakNits`: how bright the material gets, cd/m²; of PQ alone, `null` where it does not say. */
export function toneSteps(hdr: Hdr, from: ZscaleColour, peakNits: number | null): [name: string, args: string][] {
  const input = zscaleInput(from)
  // Linear light needs more than integers.
  const linear: [string, string] = ['format', 'pix_fmts=gbrpf32le']
  const gamut: [string, string] = ['zscale', 'primaries=bt709']
  if (hdr === 'bt2020') return [['zscale', `${input}:transfer=linear`], linear, gamut, ['zscale', BT709]]
  const peak = (hdr === 'pq' ? (peakNits ?? USUAL_PEAK_NITS) : USUAL_PEAK_NITS) / REFERENCE_WHITE_NITS
  return [
    ['zscale', `${input}:transfer=linear:npl=${REFERENCE_WHITE_NITS}`],
    linear,
    gamut,
    ['tonemap', `tonemap=mobius:param=${KNEE}:desat=0:peak=${Math.max(1, peak)}`],
    ['zscale', BT709],
  ]
}
