/** The shipped model, its forecasts and its confidence; and that what trains it is what it says. */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { complexityMetrics, type ShotComplexity } from '../../../../../core/shot.ts'
import { type Example, fitModel } from '../../../../../script/complexity/fit.ts'
import { drawShot } from '../../../../../script/complexity/shot-draw.ts'
import { metricsOf, workOf } from '../../../../../script/complexity/shot-run.ts'
import { SyntheticShot } from '../../../../../script/complexity/synthetic-shot.ts'
import { forecastShot } from '../../../../../streams/analysis/shots/complexity-forecast.ts'
import shipped from '../../../../../streams/analysis/shots/complexity-model.json' with { type: 'json' }
import { randomOf } from '../../../../support/seeded-random.ts'

/** In the middle of what the shipped model was trained on. */
const usual = Object.fromEntries(
  complexityMetrics.map((name, n) => [name, Math.expm1(shipped.mean[n]!) * shipped.unit[n]!]),
) as ShotComplexity & Record<string, number>

describe('the shipped model', () => {
  it('explains shots that it has not seen, and its intervals hold what they promise', () => {
    const { shots, test } = shipped.training
    expect(shots.training).toBeGreaterThanOrEqual(100)
    expect(test.r2).toBeGreaterThan(0.75)
    expect(test.coverage).toBeGreaterThan(0.7)
  })

  it('gives an interval around the forecast, and its promise as confidence, where it was trained', () => {
    const { complexity, low, high, confidence } = forecastShot(usual)
    expect([low < complexity, complexity < high]).toEqual([true, true])
    expect(confidence).toBe(0.8)
    expect(complexity).toBeGreaterThan(0.5)
    expect(complexity).toBeLessThan(2)
  })

  it('says that a faster camera is more work', () => {
    const faster = forecastShot({ ...usual, motion: usual.motion * 4 })
    expect(faster.complexity).toBeGreaterThan(1.2 * forecastShot(usual).complexity)
  })

  it.each(complexityMetrics)('is less sure of a shot that is outside in %s', (metric) => {
    const inside = forecastShot(usual)
    const outside = forecastShot({ ...usual, [metric]: 1000 * (usual[metric] + 1) })
    expect(outside.confidence).toBeLessThan(0.75 * inside.confidence)
    expect(outside.high / outside.low).toBeGreaterThan(inside.high / inside.low)
    expect(Number.isFinite(outside.complexity)).toBe(true)
  })
})

describe('the training', () => {
  /** Work that follows from two metrics and chance. */
  function examples(count: number): Example[] {
    const random = randomOf(3)
    return Array.from({ length: count }, () => {
      const metrics = Object.fromEntries(complexityMetrics.map((name) => [name, random()])) as ShotComplexity
      return { metrics, work: 2 ** (3 * metrics.motion - 2 * metrics.blur + 0.2 * (random() - 0.5)) }
    })
  }

  it('finds what the work follows from; its interval holds four of five of what it has not seen', () => {
    const { training, halfWidth } = fitModel(examples(800), 3)
    expect(training.shots).toEqual({ training: 400, calibration: 200, test: 200 })
    expect(training.test.r2).toBeGreaterThan(0.98)
    expect(Math.abs(training.test.coverage - 0.8)).toBeLessThan(0.1)
    expect(halfWidth).toBeLessThan(0.15)
  })

  it('gives the same model for the same examples, and none that explains where there is nothing to explain', () => {
    expect(fitModel(examples(80), 3)).toEqual(fitModel(examples(80), 3))
    const random = randomOf(8)
    const chance = examples(200).map(({ metrics }) => ({ metrics, work: 1 + random() }))
    expect(fitModel(chance, 3).training.test.r2).toBeLessThan(0.2)
  })

  it('draws and renders the shots that the shipped model was trained on', () => {
    const draw = drawShot(shipped.training.seed)
    const { luma, chroma } = new SyntheticShot(draw, 10, 1).picture(3).yuv
    const hash = createHash('sha256').update(luma.data).update(chroma.cb).update(chroma.cr).digest('hex')
    expect([draw.seed, hash.slice(0, 16)]).toEqual([2026, '09e5fc166ef96574'])
  })

  it('runs them through the real measuring and selection: shake is seen as shake, and speed is work', () => {
    const plain = {
      ...drawShot(1),
      ...{ speed: 0.1, turns: 0, shake: 0, defocusPx: 0, shutter: 0, grainPx: 6, contrast: 25 },
    }
    const calm = { ...plain, ...{ saturation: 20, bare: 0, drift: 0, flicker: 0, standing: 0, moving: 0, noise: 1 } }
    const [still, shaken] = [calm, { ...calm, shake: 0.004 }].map((draw) => metricsOf(draw, 'fast', 2))
    expect(still!.motion).toBeCloseTo(0.1, 2)
    expect(shaken!.shake).toBeGreaterThan(10 * still!.shake)
    for (const name of ['blur', 'texture', 'edges', 'colourVariety'] as const) {
      const ratio = shaken![name] / still![name]
      expect([name, ratio > 0.75, ratio < 1.3]).toEqual([name, true, true])
    }
    expect(workOf({ ...calm, speed: 0.4 }, 1)).toBeGreaterThan(1.3 * workOf(calm, 1))
  })
})
