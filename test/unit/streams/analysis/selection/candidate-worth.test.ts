import { describe, expect, it } from 'vitest'
import type { PictureFault } from '../../../../../core/keyframe.ts'
import { type FrameMeasures, measureNames } from '../../../../../core/measures.ts'
import { Neighbourhood } from '../../../../../streams/analysis/selection/candidate-worth.ts'
import type { Look } from '../../../../../streams/analysis/selection/feature-tracker.ts'

const MIN_SCORE = 0.3
const zero = Object.fromEntries(measureNames.map((name) => [name, 0])) as FrameMeasures
/** `sharpness` scales amplitudes: of the Laplacian and of edges. */
const picture = (sharpness: number, more: Partial<FrameMeasures> = {}, faults: PictureFault[] = [], score = 0.8) => ({
  score: { score, parts: {}, faults },
  measures: { ...zero, laplacianVariance: 900 * sharpness ** 2, gradientP95: 100 * sharpness, meanLuma: 100, ...more },
})
const look = (more: Partial<Look> = {}): Look => ({
  tracks: 200,
  foundRatio: 0.9,
  stepPx: 3,
  shift: { dx: 0, dy: 0, correlation: 0.9 },
  sharpness: 1,
  sharpnessTracks: 180,
  lightRatio: 1,
  still: false,
  difference: 5,
  motion: null,
  ...more,
})
/** After a second of sharp pictures. */
function settled(): Neighbourhood {
  const neighbourhood = new Neighbourhood()
  for (let n = 0; n < 10; n++) neighbourhood.judge({ ...picture(1), ptsMs: 100 * n }, look(), MIN_SCORE)
  return neighbourhood
}
const judge = (of: ReturnType<typeof picture>, seen: Look | null = look()) =>
  settled().judge({ ...of, ptsMs: 1000 }, seen, MIN_SCORE)

describe('Neighbourhood', () => {
  it('takes a picture as sharp as its neighbours, and prefers a sharper one', () => {
    expect(judge(picture(1))).toMatchObject({ refused: null, poor: false, soft: false, sharpness: 1 })
    expect(judge(picture(1), look({ sharpness: 0.8 })).quality).toBeLessThan(judge(picture(1)).quality)
  })

  it('refuses a blur, by the points, or by the picture where few points are left or lie on streaks', () => {
    expect(judge(picture(1), look({ sharpness: 0.35 })).refused).toBe('blurred')
    expect(judge(picture(0.35), look({ sharpnessTracks: 5 })).refused).toBe('blurred')
    expect(judge(picture(0.35, { directionalBlur: 0.3 })).refused).toBe('blurred')
    // Less texture in sight is no blur: the points themselves are as sharp as before.
    expect(judge(picture(0.35)).refused).toBeNull()
  })

  it('lets a slight blur wait for a better picture', () => {
    expect(judge(picture(1), look({ sharpness: 0.55 }))).toMatchObject({ refused: null, poor: true, soft: true })
    expect(judge(picture(1, {}, [], 0.2))).toMatchObject({ refused: null, poor: true, soft: false })
  })

  it('gets used to a lens that is soft', () => {
    const neighbourhood = settled()
    for (let n = 0; n < 60; n++) neighbourhood.judge({ ...picture(0.3), ptsMs: 1000 + 100 * n }, null, MIN_SCORE)
    expect(neighbourhood.judge({ ...picture(0.3), ptsMs: 7000 }, null, MIN_SCORE).refused).toBeNull()
  })

  it('refuses what shows nothing, the same picture again, and a jump of the light', () => {
    expect(judge(picture(1, { meanLuma: 5 }, ['dark'])).refused).toBe('dark')
    expect(judge(picture(1, {}, ['bright'])).refused).toBe('bright')
    expect(judge(picture(1, {}, ['flat'])).refused).toBe('featureless')
    expect(judge(picture(1), look({ still: true, difference: 0.1 })).refused).toBe('duplicate')
    expect(judge(picture(1), look({ still: true, difference: 0.9 })).refused).toBeNull()
    for (const lightRatio of [1.5, 1 / 1.5]) expect(judge(picture(1), look({ lightRatio })).refused).toBe('exposure')
    expect(judge(picture(1), look({ lightRatio: 1.2 }))).toMatchObject({ refused: null, poor: true })
  })
})
