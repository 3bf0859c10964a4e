import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RgbPicture } from '../../../../core/frame.ts'
import { cropQuality } from '../../../../streams/analysis/crop-quality.ts'

const SIDE = 64

/** A grey crop from a function of the place. */
function crop(level: (x: number, y: number) => number): RgbPicture {
  const plane = Array.from({ length: SIDE * SIDE }, (_, i) => Math.round(level(i % SIDE, Math.floor(i / SIDE))))
  return { width: SIDE, height: SIDE, data: Uint8Array.from([...plane, ...plane, ...plane]) }
}

const checks = (x: number, y: number) => ((x >> 2) + (y >> 2)) % 2
const wave = (period: number) => (x: number, y: number) =>
  128 + 50 * Math.sin((2 * Math.PI * x) / period) + 50 * Math.sin((2 * Math.PI * y) / period)

describe('blur', () => {
  it('is low for edges, and rises as the same waves grow longer', () => {
    expect(cropQuality(crop((x, y) => 200 * checks(x, y))).blur).toBeLessThan(0.35)
    const blurs = [6, 12, 24, 48].map((period) => cropQuality(crop(wave(period))).blur)
    expect(blurs).toEqual(blurs.toSorted((a, b) => a - b))
    expect(blurs.at(-1)).toBeGreaterThan(0.9)
  })

  it('hardly moves with contrast and brightness', () => {
    const contrast = fc.double({ min: 0.4, max: 1, noNaN: true })
    fc.assert(
      fc.property(contrast, fc.integer({ min: 0, max: 20 }), (factor, offset) => {
        const { blur } = cropQuality(crop((x, y) => factor * wave(12)(x, y) + offset))
        expect(blur).toBeCloseTo(cropQuality(crop(wave(12))).blur, 1)
      }),
      { numRuns: 30 },
    )
  })

  it('is that of the worse direction: a smear along one axis is a blur', () => {
    const smeared = cropQuality(crop((x) => 200 * checks(x, 0)))
    expect(smeared.blur).toBe(1)
  })

  it('is whole where nothing can be seen', () => expect(cropQuality(crop(() => 90)).blur).toBe(1))
})

describe('light', () => {
  it('is that of the brightest parts, in the face alone', () => {
    const face = (x: number, y: number) => x > 12 && x < 52 && y > 18 && y < 61
    const { highLuma, overexposedRatio } = cropQuality(crop((x, y) => (face(x, y) ? 40 : 255)))
    expect([highLuma, overexposedRatio]).toEqual([expect.closeTo(40, 0), 0])
  })

  it('weighs the colours as BT.601 does', () => {
    const green = crop(() => 0)
    green.data.fill(100, SIDE * SIDE, 2 * SIDE * SIDE)
    expect(cropQuality(green).highLuma).toBeCloseTo(58.7, 3)
  })

  it('counts what is overexposed', () => {
    const { overexposedRatio } = cropQuality(crop((_, y) => (y % 2 ? 250 : 240)))
    expect(overexposedRatio).toBeCloseTo(0.5, 1)
  })
})
