/** Every measure of every picture against OpenCV's and NumPy's value (test/fixtures/measures). */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { measureNames } from '../../../../../core/measures.ts'
import { measureDetail, TileTensors } from '../../../../../streams/analysis/measures/detail.ts'
import { FrameMeter } from '../../../../../streams/analysis/measures/frame-meter.ts'
import fixtures from '../../../../fixtures/measures/measures.json' with { type: 'json' }
import { fixtureChroma, fixturePictures, luma } from './pictures.ts'

const { width, height } = fixtures
const pictures = fixturePictures(width, height)
const chroma = fixtureChroma(width, height)
const meter = new FrameMeter({ width, height })

/** What is rounded on purpose: a percentile inside bins of one level, a median of whole responses. */
const allowed: Record<string, number> = { gradientP95: 1, noiseSigma: 0.5 / (6 * 0.6745) }
/** Of the larger number. Eigenvalues are float32, here and in OpenCV. */
const RELATIVE = 1e-6

describe.each(fixtures.pictures)('$name', ({ name, sha256, measures, everyThirdRow }) => {
  const picture = luma(pictures.get(name)!, 5)
  const full: Record<string, number> = { ...meter.measure({ small: { luma: picture, chroma }, full: null }) }

  it('is the picture that was measured', () => {
    const bytes = Uint8Array.from(pictures.get(name)!.values)
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256)
  })

  it('has these measures and no others', () => {
    expect(Object.keys(measures).sort()).toEqual([...measureNames].sort())
    expect(Object.keys(full).sort()).toEqual([...measureNames].sort())
  })

  it.each(Object.entries(measures))('%s is %d', (measure, expected) => {
    const value = full[measure]!
    if (measure === 'blurAngle') {
      // Where nothing has a direction, rounding chooses one; and 0° is 180°.
      const apart = Math.abs(value - expected) % 180
      if (measures.directionalBlur > 0.05) expect(Math.min(apart, 180 - apart)).toBeLessThan(1e-4)
      return
    }
    const tolerance = allowed[measure] ?? RELATIVE * Math.max(1, Math.abs(expected))
    expect(Math.abs(value - expected), `${value}`).toBeLessThanOrEqual(tolerance)
  })

  it('has these sums in every third row', () => {
    const detail = measureDetail(picture, 3, new TileTensors())
    expect(detail.laplacianVariance).toBeCloseTo(everyThirdRow.laplacianVariance, 4)
    expect(detail.tenengrad).toBeCloseTo(everyThirdRow.tenengrad, 4)
  })
})
