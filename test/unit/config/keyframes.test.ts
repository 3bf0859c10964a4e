import { describe, expect, it } from 'vitest'
import { cameraConfig } from '../../../config/camera-config.ts'
import { figuresOf } from '../../../config/keyframe-schema.ts'
import { configSchema } from '../../../config/schema.ts'
import { extractionSpec, keyframeSpec } from '../../../src/keyframe-spec.ts'

const parse = (keyframes: object, camera: object = {}) =>
  configSchema.parse({ defaults: { keyframes }, cameras: { a: { source: 'file:a.mp4', keyframes: camera } } })

function problems(keyframes: object, camera: object = {}): [path: string, message: string][] {
  const result = configSchema.safeParse({
    defaults: { keyframes },
    cameras: { a: { source: 'file:a.mp4', keyframes: camera } },
  })
  return (result.error?.issues ?? []).map(({ path, message }) => [path.join('.'), message])
}

describe('keyframes in the configuration', () => {
  it('refuses weights that do not sum to 1, by their path', () => {
    expect(problems({ saliencyWeights: { spatial: 0.5 } })).toEqual([
      ['defaults.keyframes.saliencyWeights', 'the weights must sum to 1, and sum to 1.15'],
    ])
    expect(problems({}, { qualityWeights: { sharpness: 0.2 } })).toEqual([
      ['cameras.a.keyframes.qualityWeights', 'the weights must sum to 1, and sum to 0.9'],
    ])
    const thirds = { spatial: 0.3333, semantic: 0.3333, geometric: 0.3333, texture: 0 }
    expect(problems({ saliencyWeights: thirds })).toEqual([])
  })

  it('takes figures in the mode custom only, whether the mode is inherited or not', () => {
    expect(problems({ tracks: 100 })).toEqual([
      ['defaults.keyframes.tracks', 'only with mode custom: the mode here is balanced'],
    ])
    expect(problems({ mode: 'fast' }, { windowMs: 100, minScore: 0.5 })).toEqual([
      ['cameras.a.keyframes.windowMs', 'only with mode custom: the mode here is fast'],
    ])
    expect(problems({ mode: 'custom' }, { windowMs: 100 })).toEqual([])
    // Inherited figures do not count in a camera of another mode.
    const { keyframes } = cameraConfig(parse({ mode: 'custom', tracks: 100 }, { mode: 'fast' }), 'a')
    expect(figuresOf(keyframes)).toMatchObject({ tracks: 200, candidateFps: 5 })
  })

  it('gives custom the figures of balanced where it is silent', () => {
    const { defaults } = parse({ mode: 'custom', tracks: 100, candidateFps: 3 })
    expect(figuresOf(defaults.keyframes)).toMatchObject({ tracks: 100, candidateFps: 3, windowMs: 500, width: 640 })
  })

  it('asks a model of dense features in high_quality and custom only', () => {
    const features = (mode: string) => keyframeSpec(parse({ mode }).defaults.keyframes, 'xfeat', null).features
    expect(['fast', 'balanced'].map(features)).toEqual([null, null])
    expect(features('high_quality')).toEqual({ model: 'xfeat', every: 5 })
    expect(keyframeSpec(parse({ mode: 'custom' }).defaults.keyframes, null, null).features).toBeNull()
  })

  it('an extraction decodes everything, drops nothing and looks for no faces', () => {
    const config = parse({ mode: 'fast' })
    const { keyframes } = config.defaults
    const parts = { name: 'clip', path: '/clip.mp4', epoch: 'e', imagesDir: '/out/images', tonemap: true }
    const spec = extractionSpec(config, { ...parts, keyframes, featuresModel: null })
    expect(spec).toMatchObject({
      camera: 'clip',
      faces: null,
      source: { kind: 'file', passes: 1, speed: null, overflow: 'wait' },
      decode: { gating: false, hardware: 'off', tonemap: true },
      analysis: { fps: 5, widthPx: 480, motion: { enabled: false } },
      keyframes: { mode: 'fast', imagesDir: '/out/images', format: 'jpg' },
    })
  })
})
