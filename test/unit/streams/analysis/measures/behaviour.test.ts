/** What the measures do when a picture gets worse in a known way. */
import { describe, expect, it } from 'vitest'
import type { LumaView } from '../../../../../core/frame.ts'
import type { FrameMeasures, MeasureName } from '../../../../../core/measures.ts'
import { detailStep, FrameMeter } from '../../../../../streams/analysis/measures/frame-meter.ts'
import { box, greyChroma, luma, noise, type Plane, plane, shiftedMean, texture } from './pictures.ts'

const [width, height] = [384, 216]
const scene = texture(width, height)
const meter = new FrameMeter({ width: width / 3, height: height / 3 })

/** As the graph makes them: the picture, and its mean over 3×3 pixels. */
function measure(full: Plane): FrameMeasures {
  const small = plane(width / 3, height / 3, (x, y) => {
    let sum = 0
    for (let dy = 0; dy < 3; dy++) {
      for (let dx = 0; dx < 3; dx++) sum += full.values[(3 * y + dy) * width + 3 * x + dx]!
    }
    return Math.round(sum / 9)
  })
  return meter.measure({ small: { luma: luma(small), chroma: greyChroma(small) }, full: luma(full, 7) })
}

const values = (pictures: Plane[], name: MeasureName) => pictures.map((picture) => measure(picture)[name])
const falls = (list: number[]) => list.every((value, i) => i === 0 || value < list[i - 1]!)
const clamped = (picture: Plane, change: (value: number) => number): Plane => ({
  ...picture,
  values: picture.values.map((value) => Math.min(255, Math.max(0, Math.round(change(value))))),
})
const added = (picture: Plane, other: Plane): Plane => ({
  ...picture,
  values: picture.values.map((value, i) => Math.min(255, Math.max(0, value + other.values[i]! - 128))),
})

/** Positions along a line of `length` px. */
function path(length: number, degrees: number): [number, number][] {
  const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)]
  const seen = new Map<string, [number, number]>()
  for (let t = -length / 2; t <= length / 2; t += 0.25) {
    const at: [number, number] = [Math.round(t * c), Math.round(t * s)]
    seen.set(at.join(), at)
  }
  return [...seen.values()]
}

describe('blur', () => {
  const blurred = [scene, ...[1, 2, 3, 5].map((radius) => shiftedMean(shiftedMean(scene, box(radius)), box(radius)))]

  it.each(['laplacianVariance', 'tenengrad', 'gradientP95', 'highFrequencyShare'] as const)(
    'the more of it, the lower %s',
    (name) => {
      expect(falls(values(blurred, name))).toBe(true)
    },
  )

  it('that is the same in all directions is no motion', () => {
    for (const value of values(blurred, 'directionalBlur')) expect(value).toBeLessThan(0.15)
  })

  it.each([0, 20, 45, 70, 90, 115, 135, 160])('of motion is found with its direction: %d°', (degrees) => {
    for (const length of [9, 17]) {
      const { directionalBlur, blurAngle } = measure(shiftedMean(scene, path(length, degrees)))
      expect(directionalBlur).toBeGreaterThan(0.3)
      const apart = Math.abs(blurAngle - degrees) % 180
      expect(Math.min(apart, 180 - apart)).toBeLessThan(10)
    }
  })

  it('a scene of stripes is not blurred, however they run', () => {
    // Stripes of every width: what has a direction at all scales.
    const widths = [3, 7, 13, 29, 61]
    const stripes = (across: (x: number, y: number) => number) =>
      added(
        plane(width, height, (x, y) =>
          Math.round(widths.reduce((sum, w) => sum + (Math.floor(across(x, y) / w) % 2 === 0 ? 18 : -18), 128)),
        ),
        clamped(scene, (value) => 128 + (value - 128) / 8),
      )
    const sharp = stripes((_, y) => y)
    expect(measure(sharp).directionalBlur).toBeLessThan(measure(shiftedMean(scene, path(9, 0))).directionalBlur)
    // Moved across its stripes it is, and the direction is that of the motion.
    const moved = measure(shiftedMean(sharp, path(13, 90)))
    expect(Math.abs(moved.blurAngle - 90)).toBeLessThan(10)
  })
})

describe('noise', () => {
  it.each([1, 2, 4, 8])('of σ = %d is found within 15 %%, alone and over a smooth scene', (sigma) => {
    const grain = noise(width, height, 5 + sigma, sigma)
    const smooth = shiftedMean(shiftedMean(scene, box(5)), box(5))
    for (const picture of [grain, added(smooth, grain)]) {
      const found = measure(picture).noiseSigma
      expect(found / sigma).toBeGreaterThan(0.85)
      expect(found / sigma).toBeLessThan(1.15)
    }
  })

  it('edges are none', () => {
    const blocks = plane(width, height, (x, y) => ((x >> 4) + (y >> 4)) % 2 === 0 ? 30 : 220) // biome-ignore format: a line
    expect(measure(blocks).noiseSigma).toBeLessThan(0.1)
  })
})

describe('exposure', () => {
  it('counts what is lost below black and above white', () => {
    const [dark, bright] = [measure(clamped(scene, (v) => v - 120)), measure(clamped(scene, (v) => v + 120))]
    const own = measure(scene)
    expect(dark.darkRatio).toBeGreaterThan(0.4)
    expect(bright.brightRatio).toBeGreaterThan(0.4)
    expect(own.darkRatio + own.brightRatio).toBeLessThan(0.02)
    expect([dark.meanLuma < own.meanLuma, own.meanLuma < bright.meanLuma]).toEqual([true, true])
  })

  it('dynamic range falls with contrast, and a few odd pixels do not make it', () => {
    const flat = clamped(scene, (v) => 128 + (v - 128) / 4)
    expect(measure(flat).dynamicRange).toBeLessThan(measure(scene).dynamicRange / 3)
    const specks = { ...flat, values: flat.values.map((v, i) => (i % 2003 === 0 ? 255 : v)) }
    expect(Math.abs(measure(specks).dynamicRange - measure(flat).dynamicRange)).toBeLessThan(5)
  })
})

describe('features', () => {
  it('a blank wall has none, a texture has them everywhere, half a texture in half of the cells', () => {
    const blank = plane(width, height, () => 90)
    const half = { ...scene, values: scene.values.map((v, i) => (i % width < width / 2 ? v : 128)) }
    const [none, all, some] = [blank, scene, half].map(measure)
    expect([none!.cornerDensity, none!.cornerSpread, none!.edgeDensity, none!.lbpEntropy]).toEqual([0, 0, 0, 0])
    expect(all!.cornerSpread).toBe(1)
    expect(some!.cornerSpread).toBeGreaterThan(0.3)
    expect(some!.cornerSpread).toBeLessThan(0.7)
    expect(some!.cornerDensity).toBeLessThan(0.7 * all!.cornerDensity)
  })

  it('an edge has no corner', () => {
    const step = plane(width, height, (x) => (x < 190 ? 20 : 230))
    expect(measure(step)).toMatchObject({ cornerDensity: 0, cornerSpread: 0, lineDiversity: 0 })
    expect(measure(step).edgeDensity).toBeGreaterThan(0)
    expect(measure(step).lineDensity).toBeGreaterThan(0.05)
  })

  it('lines of many directions are more diverse than lines of one', () => {
    const bars = (across: (x: number, y: number) => number) =>
      plane(width, height, (x, y) => (((Math.floor(across(x, y)) % 60) + 60) % 60 < 30 ? 60 : 190))
    const oneWay = measure(bars((x) => x))
    const fan = measure(bars((x, y) => (Math.atan2(y + 40, x - 192) * 1200) / Math.PI))
    expect(fan.lineDensity).toBeGreaterThan(0.2)
    expect(fan.lineDiversity).toBeGreaterThan(oneWay.lineDiversity + 0.5)
  })
})

describe('FrameMeter', () => {
  it('keeps nothing of the picture before', () => {
    const first = measure(scene)
    measure(noise(width, height, 3, 40))
    expect(measure(scene)).toEqual(first)
  })

  it('without a full-resolution plane measures detail in the small one', () => {
    const picture: LumaView = luma(plane(128, 72, (x, y) => scene.values[y * width + x]!))
    const own = meter.measure({ small: { luma: picture, chroma: greyChroma(picture) }, full: null })
    const both = meter.measure({ small: { luma: picture, chroma: greyChroma(picture) }, full: picture })
    expect(own).toEqual(both)
  })

  it('refuses a picture of another size', () => {
    const picture = luma(plane(64, 36, () => 0))
    expect(() => meter.measure({ small: { luma: picture, chroma: greyChroma(picture) }, full: null })).toThrow(/64×36/)
  })

  it.each([1, 2, 3, 4, 5, 9])('measures a picture of %d px a side: every number is finite', (side) => {
    const picture = luma(plane(side, side, (x, y) => (x * 50 + y * 90) % 256))
    const measures = new FrameMeter(picture).measure({
      small: { luma: picture, chroma: greyChroma(picture) },
      full: null,
    })
    expect(Object.entries(measures).filter(([, value]) => !Number.isFinite(value))).toEqual([])
  })

  it('looks at about 700 000 pixels, in an odd step', () => {
    const steps = [
      [640, 360],
      [1280, 720],
      [1920, 1080],
      [3840, 2160],
    ].map(([w, h]) => detailStep({ width: w!, height: h! }))
    expect(steps).toEqual([1, 3, 3, 13])
  })
})
