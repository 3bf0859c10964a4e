import { describe, expect, it } from 'vitest'
import {
  LivenessEvidence,
  livenessLimits,
  livenessOfLook,
  livenessRegion,
} from '../../../../streams/analysis/liveness.ts'

const limits = { live: 0.5, spoof: 0.3 }
const box = (x: number, y: number, width: number, height: number) => ({ x, y, width, height })
const vga = { width: 640, height: 480 }
const upright = { width: 480, height: 640 }

describe('livenessRegion', () => {
  // Computed by the published CropImage._get_new_box (minivision-ai/Silent-Face-Anti-Spoofing), in Python.
  it.for([
    ['in the middle', vga, box(300, 200, 60, 80), 2.7, box(249, 132, 163, 217)],
    ['in the middle, wide', vga, box(300, 200, 60, 80), 4, box(210, 80, 241, 321)],
    ['shifted from the top left corner', vga, box(5, 10, 60, 80), 2.7, box(0, 0, 163, 217)],
    ['shifted from the bottom right corner', vga, box(590, 410, 45, 60), 4, box(459, 239, 181, 241)],
    ['as wide as the picture allows', upright, box(187.78, 109.48, 195.03, 238.91), 4, box(0, 0, 480, 587)],
    ['as high as the picture allows', upright, box(139.99, 215.3, 220.88, 299.92), 2.7, box(8, 0, 472, 640)],
    ['fractions', { width: 1920, height: 1080 }, box(1700.5, 3.25, 180, 240), 4, box(1199, 0, 721, 961)],
  ] as const)('%s', ([, picture, face, scale, expected]) => {
    expect(livenessRegion(face, scale, picture)).toEqual(expected)
  })

  it('does not judge a face without surroundings, nor one without a size', () => {
    expect(livenessRegion(box(100, 100, 100, 319), 4, vga)).toBeDefined()
    expect(livenessRegion(box(100, 100, 100, 320), 4, vga)).toBeUndefined()
    expect(livenessRegion(box(10, 10, 0, 0), 4, vga)).toMatchObject({ width: 1, height: 1 })
  })
})

describe('LivenessEvidence', () => {
  const after = (...looks: readonly (readonly [number, number] | number)[]) => {
    const evidence = new LivenessEvidence(limits)
    for (const look of looks) evidence.add(...(typeof look === 'number' ? ([look, 1] as const) : look))
    return evidence.liveness
  }

  it('has no verdict before the third look, and no score before the first', () => {
    expect(after()).toEqual({ verdict: 'unchecked' })
    expect(after(1, 1)).toEqual({ verdict: 'unchecked', score: 1 })
    expect(after(1, 1, 1)).toEqual({ verdict: 'live', score: 1 })
    expect(after(0, 0, 0)).toEqual({ verdict: 'spoof', score: 0 })
  })

  it('weighs by quality', () => {
    expect(after([0.9, 3], [0.1, 1], [0.1, 1])).toEqual({ verdict: 'live', score: expect.closeTo(0.58, 9) })
    expect(after(0.9, 0.1, 0.1)).toEqual({ verdict: 'unchecked', score: expect.closeTo(0.3667, 3) })
  })

  it('keeps its verdict between the thresholds', () => {
    expect(after(0.6, 0.6, 0.6, 0)).toEqual({ verdict: 'live', score: expect.closeTo(0.45, 9) })
    expect(after(0.2, 0.2, 0.2, 1)).toEqual({ verdict: 'spoof', score: expect.closeTo(0.4, 9) })
    expect(after(0.6, 0.6, 0.6, 0, 0, 0, 0).verdict).toBe('spoof')
    expect(after(0.2, 0.2, 0.2, 1, 1).verdict).toBe('live')
  })

  it('forgets: only the last eight looks count', () => {
    expect(after(...Array(20).fill(0), ...Array(8).fill(0.8))).toEqual({
      verdict: 'live',
      score: expect.closeTo(0.8, 9),
    })
  })
})

it('a single look has a verdict too', () => {
  expect([0.5, 0.31, 0.3].map((live) => livenessOfLook(live, limits).verdict)).toEqual(['live', 'unchecked', 'spoof'])
  expect(livenessOfLook(undefined, limits)).toEqual({ verdict: 'unchecked' })
})

it('thresholds are fused as probabilities are', () => {
  const model = { id: 'm', boxScale: 2.7, cropPx: 80 }
  const models = [
    { ...model, liveThreshold: 0.5, spoofThreshold: 0.3 },
    { ...model, liveThreshold: 0.7, spoofThreshold: 0.1 },
  ]
  expect(livenessLimits(models)).toEqual({ live: 0.6, spoof: 0.2 })
})
