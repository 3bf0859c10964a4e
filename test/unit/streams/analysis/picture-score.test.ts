/** Scores and saliency of procedural pictures, and of measures made up to have one fault each. */
import { describe, expect, it } from 'vitest'
import {
  defaultQualityWeights,
  defaultSaliencyWeights,
  type PictureFault,
  qualityParts,
  saliencyParts,
} from '../../../../core/keyframe.ts'
import type { FrameMeasures } from '../../../../core/measures.ts'
import { FrameMeter } from '../../../../streams/analysis/measures/frame-meter.ts'
import { relativeSharpness, scorePicture } from '../../../../streams/analysis/picture-score.ts'
import { saliencyOf } from '../../../../streams/analysis/saliency.ts'
import { box, greyChroma, luma, noise, type Plane, plane, shiftedMean, texture } from './measures/pictures.ts'

const [width, height] = [320, 180]
const meter = new FrameMeter({ width, height })
const measure = (picture: Plane) =>
  meter.measure({ small: { luma: luma(picture), chroma: greyChroma(picture) }, full: null })
const spec = { qualityWeights: defaultQualityWeights }
const score = (measures: FrameMeasures) => scorePicture(measures, spec)
const sum = (weights: object) => Object.values(weights).reduce((total, weight) => total + weight, 0)

const scene = texture(width, height)
const good = measure(scene)
const soft = (radius: number) => shiftedMean(shiftedMean(scene, box(radius)), box(radius))

it('the weights that come with the program sum to 1 and name every part', () => {
  expect(sum(defaultQualityWeights)).toBeCloseTo(1, 12)
  expect(sum(defaultSaliencyWeights)).toBeCloseTo(1, 12)
  expect(Object.keys(defaultQualityWeights).sort()).toEqual([...qualityParts].sort())
  expect(Object.keys(defaultSaliencyWeights).sort()).toEqual([...saliencyParts].sort())
})

describe('scorePicture', () => {
  it('has every part, in 0–1, and the score is their weighted mean', () => {
    for (const picture of [scene, soft(3), noise(width, height, 3, 20), plane(width, height, () => 0)]) {
      const { score: value, parts } = score(measure(picture))
      expect(Object.keys(parts)).toEqual([...qualityParts])
      for (const part of Object.values(parts)) expect(part >= 0 && part <= 1).toBe(true)
      const expected = qualityParts.reduce((total, name) => total + defaultQualityWeights[name] * parts[name]!, 0)
      expect(value).toBeCloseTo(expected, 12)
    }
  })

  it('falls with blur, and with it only what blur spoils', () => {
    const scores = [scene, soft(1), soft(2), soft(4)].map((picture) => score(measure(picture)))
    for (const [i, one] of scores.entries()) {
      if (i === 0) continue
      expect(one.score).toBeLessThan(scores[i - 1]!.score)
      expect(one.parts.sharpness).toBeLessThan(scores[i - 1]!.parts.sharpness!)
      expect(one.parts.exposure).toBe(1)
    }
    expect(scores[0]!.faults).not.toContain('blurred')
    expect(scores[3]!.faults).toContain('blurred')
  })

  it('takes the weights that it is given', () => {
    const { parts } = score(good)
    expect(scorePicture(good, { qualityWeights: { noise: 1 } }).score).toBe(parts.noise)
    expect(scorePicture(good, { qualityWeights: { noise: 2, features: 2 } }).score).toBeCloseTo(
      (parts.noise! + parts.features!) / 2,
      12,
    )
    expect(scorePicture(good, { qualityWeights: {} }).score).toBe(0)
  })

  it.each<[PictureFault, Partial<FrameMeasures>]>([
    ['blurred', { highFrequencyShare: 0.0001, gradientP95: 25 }],
    ['motion-blurred', { directionalBlur: 0.5, highFrequencyShare: 0.005 }],
    ['dark', { meanLuma: 30 }],
    ['dark', { darkRatio: 0.7 }],
    ['bright', { meanLuma: 230 }],
    ['bright', { brightRatio: 0.6 }],
    ['flat', { dynamicRange: 15 }],
    ['noisy', { noiseSigma: 15 }],
    ['featureless', { cornerSpread: 0.02 }],
  ])('%s: %o', (fault, change) => {
    const sound = { ...good, highFrequencyShare: 0.05, noiseSigma: 1, directionalBlur: 0.1 }
    expect(score(sound).faults).toEqual([])
    expect(score({ ...sound, ...change }).faults).toEqual([fault])
    expect(score({ ...sound, ...change }).score).toBeLessThan(score(sound).score)
  })

  it('a scene with one direction is no motion while it is sharp', () => {
    expect(score({ ...good, directionalBlur: 0.5, highFrequencyShare: 0.1, noiseSigma: 1 }).faults).toEqual([])
  })
})

describe('relativeSharpness', () => {
  const [sharp, softer, soft3] = [soft(1), soft(2), soft(3)].map(measure)

  it('tells the sharper of two pictures of one view, and 1 is equal', () => {
    expect(relativeSharpness(sharp!, [sharp!, sharp!])).toBeCloseTo(1, 12)
    expect(relativeSharpness(softer!, [sharp!])).toBeLessThan(0.7)
    expect(relativeSharpness(sharp!, [softer!, soft3!])).toBeGreaterThan(1.5)
    expect(relativeSharpness(sharp!, [])).toBe(1)
  })

  it('takes noise for none', () => {
    const grain = noise(width, height, 9, 4)
    const noisy = (picture: Plane): Plane => ({
      ...picture,
      values: picture.values.map((value, i) => Math.min(255, Math.max(0, value + grain.values[i]! - 128))),
    })
    expect(relativeSharpness(measure(noisy(soft(2))), [sharp!])).toBeLessThan(1)
  })

  it('is finite where nothing is sharp', () => {
    const blank = measure(plane(width, height, () => 90))
    expect(Number.isFinite(relativeSharpness(sharp!, [blank]))).toBe(true)
    expect(relativeSharpness(blank, [sharp!])).toBe(0)
  })
})

describe('saliencyOf', () => {
  const weights = defaultSaliencyWeights

  it('without a model leaves semantic richness out and renormalises the rest', () => {
    const { score: value, parts } = saliencyOf(good, null, weights)
    expect(Object.keys(parts)).toEqual(['spatial', 'geometric', 'texture'])
    const expected = (0.35 * parts.spatial! + 0.25 * parts.geometric! + 0.15 * parts.texture!) / 0.75
    expect(value).toBeCloseTo(expected, 12)
  })

  it('with one has it, and takes it as it is', () => {
    const without = saliencyOf(good, null, weights)
    const { score: value, parts } = saliencyOf(good, { richness: 0.4 }, weights)
    expect(Object.keys(parts)).toEqual(['spatial', 'semantic', 'geometric', 'texture'])
    expect(parts.semantic).toBe(0.4)
    expect(value).toBeCloseTo(0.75 * without.score + 0.25 * 0.4, 12)
  })

  it('is low for a blank wall and higher for what shows more', () => {
    const blank = saliencyOf(measure(plane(width, height, () => 120)), null, weights)
    const half = { ...scene, values: scene.values.map((value, i) => (i % width < width / 2 ? value : 128)) }
    const some = saliencyOf(measure(half), null, weights)
    expect(blank.score).toBeLessThan(0.05)
    expect(some.score).toBeGreaterThan(blank.score + 0.2)
    expect(saliencyOf(good, null, weights).score).toBeGreaterThan(some.score)
  })

  it('a weight of nothing takes a part out', () => {
    const { parts, score: value } = saliencyOf(good, null, { spatial: 0, semantic: 0.5, geometric: 0, texture: 0.5 })
    expect(value).toBe(parts.texture)
  })
})
