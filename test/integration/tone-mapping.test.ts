/**
 * HDR through the decoding path: pictures of known patches, in real streams of ten bits, against values computed here from the
 * standards: ST 2084 and ARIB STD-B67 (both in ITU-R BT.2100), BT.2020 and BT.709, BT.1886, and the Möbius curve.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { KNEE, REFERENCE_WHITE_NITS } from '../../core/tone-mapping.ts'
import type { NativeFrame } from '../../streams/media/native-frame.ts'
import { silenceNativeLog } from '../../streams/media/native-log.ts'
import { analysisSize, PictureScaler } from '../../streams/media/picture-scaler.ts'
import { FilePass } from '../../streams/sources/file-pass.ts'
import { ClipFolder } from './support/clips.ts'
import { PATCH_PX, type Patch, patchClip } from './support/hdr-clips.ts'

const clips = new ClipFolder()
beforeAll(silenceNativeLog)
afterAll(() => clips[Symbol.dispose]())

/** Greys from black to the top, and colours that BT.709 holds. */
const patches: Patch[] = [
  [64, 512, 512],
  [250, 512, 512],
  [400, 512, 512],
  [500, 512, 512],
  [573, 512, 512],
  [650, 512, 512],
  [450, 470, 550],
  [450, 545, 490],
  [520, 480, 500],
  [600, 500, 540],
]
/** Rounding: measured, 0 for what is mapped, 1 for ten bits that are cut to eight. */
const TOLERANCE = 1

/** What tables cost that apply HLG's OOTF to each component (tone-mapper). */
const HLG_COLOUR_TOLERANCE = 3
const GREYS = 6

type Rgb = [number, number, number]
const map3 = (rgb: Rgb, change: (value: number) => number) => rgb.map(change) as Rgb

/** R′G′B′ of a patch, by BT.2020's non-constant luminance. */
function signal([y, cb, cr]: Patch): Rgb {
  const [luma, b, r] = [(y - 64) / 876, (cb - 512) / 896, (cr - 512) / 896]
  const red = luma + 1.4746 * r
  const blue = luma + 1.8814 * b
  return [red, (luma - 0.2627 * red - 0.0593 * blue) / 0.678, blue]
}

/** cd/m² of a PQ signal. */
function pq(value: number): number {
  const [m1, m2, c1, c2, c3] = [2610 / 16384, (2523 / 4096) * 128, 3424 / 4096, (2413 / 4096) * 32, (2392 / 4096) * 32]
  const root = Math.max(0, value) ** (1 / m2)
  return 10_000 * (Math.max(0, root - c1) / (c2 - c3 * root)) ** (1 / m1)
}

/** cd/m² of an HLG signal on a screen of 1000 cd/m². */
function hlg(rgb: Rgb): Rgb {
  const [a, b, c] = [0.17883277, 0.28466892, 0.55991073]
  const scene = map3(rgb, (e) => (e <= 0.5 ? Math.max(0, e) ** 2 / 3 : (Math.exp((e - c) / a) + b) / 12))
  const luminance = 0.2627 * scene[0] + 0.678 * scene[1] + 0.0593 * scene[2]
  return map3(scene, (value) => 1000 * luminance ** 0.2 * value)
}

/** Light in BT.2020's primaries in those of BT.709 (ITU-R BT.2087, inverted). */
const to709 = ([r, g, b]: Rgb): Rgb => [
  1.660491 * r - 0.587641 * g - 0.07285 * b,
  -0.12455 * r + 1.1329 * g - 0.00835 * b,
  -0.018151 * r - 0.100579 * g + 1.11873 * b,
]

function mobius(x: number, peak: number): number {
  if (x <= KNEE) return x
  const a = (-(KNEE ** 2) * (peak - 1)) / (KNEE ** 2 - 2 * KNEE + peak)
  const b = (KNEE ** 2 - 2 * KNEE * peak + peak) / (peak - 1)
  return ((b ** 2 + 2 * b * KNEE + KNEE ** 2) / (b - a)) * ((x + a) / (x + b))
}

/** Y′, Cb, Cr in bytes of narrow range, of light in BT.709 with white 1, by BT.1886. */
function bytes(light: Rgb): number[] {
  const [r, g, b] = map3(light, (value) => Math.min(1, Math.max(0, value)) ** (1 / 2.4))
  const luma = 0.2126 * r + 0.7152 * g + 0.0722 * b
  return [16 + 219 * luma, 128 + (224 * (b - luma)) / 1.8556, 128 + (224 * (r - luma)) / 1.5748].map(Math.round)
}

function mapped(nits: Rgb, peakNits: number): number[] {
  const light = to709(map3(nits, (value) => value / REFERENCE_WHITE_NITS))
  const brightest = Math.max(...light, 1e-6)
  const factor = mobius(brightest, peakNits / REFERENCE_WHITE_NITS) / brightest
  return bytes(map3(light, (value) => value * factor))
}

interface Seen {
  values: number[][]
  tags: { primaries: number; transfer: number; matrix: number; range: number; format: number }
}

/** The first picture of a file's pass, in the middle of each patch. */
async function seen(path: string, tonemap: boolean): Promise<Seen> {
  await using pass = await FilePass.open({
    path,
    openTimeoutMs: 10_000,
    tonemap,
    threads: 1,
    speed: null,
    room: () => Promise.resolve(),
    signal: new AbortController().signal,
    clock: systemClock,
    loop: 0,
    seqBase: 0,
    ptsBaseMs: 0,
    originMs: 0,
    onDamage: (_ptsMs, what) => expect.unreachable(what),
    onUndecoded: () => undefined,
  })
  let first: Seen | undefined
  await pass.frames(null).forEach(({ full }) => {
    first ??= describeFrame(full)
    full.free()
  })
  return first!
}

function describeFrame(full: NativeFrame): Seen {
  using scaler = new PictureScaler(analysisSize(full, full.width))
  using small = scaler.small(full)
  const { luma, chroma } = small.yuv
  const values = patches.map((_, n) => {
    const [x, y] = [n * PATCH_PX + PATCH_PX / 2, luma.height / 2]
    const at = (y / 2) * chroma.stride + x / 2
    return [luma.data[y * luma.stride + x]!, chroma.cb[at]!, chroma.cr[at]!]
  })
  const { colorPrimaries, colorTrc, colorSpace, colorRange, format } = full
  const tags = { primaries: colorPrimaries, transfer: colorTrc, matrix: colorSpace, range: colorRange, format }
  return { values, tags }
}

function expectNear(values: number[][], wanted: number[][], tolerance = TOLERANCE): void {
  const off = values.map((value, n) => Math.max(...value.map((each, i) => Math.abs(each - wanted[n]![i]!))))
  expect({ values, wanted, worst: Math.max(...off) }).toMatchObject({
    worst: expect.toSatisfy((px) => px <= tolerance),
  })
}

/** Code points of ITU-T H.273 for BT.709 in narrow range; yuv420p. */
const BT709 = { primaries: 1, transfer: 1, matrix: 1, range: 1, format: 0 }
const wide = { primaries: 'bt2020', matrix: 'bt2020nc' }

describe('tone-mapping', () => {
  it('PQ: by its content’s own peak, and by 1000 cd/m² where it states none', async () => {
    const own = patchClip(clips, 'pq-600', patches, { ...wide, transfer: 'smpte2084', extra: 'max-cll=600,100' })
    const plain = patchClip(clips, 'pq', patches, { ...wide, transfer: 'smpte2084' })
    for (const [path, peak] of [
      [own, 600],
      [plain, 1000],
    ] as const) {
      const { values, tags } = await seen(path, true)
      expectNear(
        values,
        patches.map((patch) => mapped(map3(signal(patch), pq), peak)),
      )
      expect(tags).toEqual(BT709)
    }
  })

  it('HLG: as on a screen of 1000 cd/m²', async () => {
    const path = patchClip(clips, 'hlg', patches, { ...wide, transfer: 'arib-std-b67' })
    const { values, tags } = await seen(path, true)
    const wanted = patches.map((patch) => mapped(hlg(signal(patch)), 1000))
    expectNear(values.slice(0, GREYS), wanted.slice(0, GREYS))
    expectNear(values.slice(GREYS), wanted.slice(GREYS), HLG_COLOUR_TOLERANCE)
    expect(tags).toEqual(BT709)
  })

  it('BT.2020 without HDR: its colours are brought into BT.709, its tones stay', async () => {
    const path = patchClip(clips, 'wide', patches, { ...wide, transfer: 'bt2020-10' })
    const { values, tags } = await seen(path, true)
    expectNear(
      values,
      patches.map((patch) => bytes(to709(map3(signal(patch), (e) => Math.max(0, e) ** 2.4)))),
    )
    expect(tags).toEqual(BT709)
  })

  it('ten bits of BT.709 are made bytes and nothing else; HDR too, without the wish', async () => {
    const sdr = patchClip(clips, 'sdr', patches, { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' })
    const plainly = patches.map((patch) => patch.map((code) => Math.round(code / 4)))
    expectNear((await seen(sdr, true)).values, plainly)
    expectNear((await seen(clips.at('hlg.mp4'), false)).values, plainly)
  })
})
