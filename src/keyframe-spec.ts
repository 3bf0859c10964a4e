/**
 * From the configuration of keyframes to what a session is told: of a camera that keeps them, and of a recording that is
 * extracted. Pure.
 */
import { figuresOf, type KeyframesConfig } from '../config/keyframe-schema.ts'
import type { Config } from '../config/schema.ts'
import type { FileSource, KeyframeSpec, SessionSpec } from '../core/wire/session-spec.ts'
import { sessionSpec } from './session-spec.ts'

/** `featuresModel`: id of the model that makes dense features (`featuresModelOf`), `null` without one. */
export function keyframeSpec(
  keyframes: KeyframesConfig,
  featuresModel: string | null,
  imagesDir: string | null,
): KeyframeSpec {
  const { mode, saliencyWeights, qualityWeights, minScore, format, jpegQuality } = keyframes
  const { targetFlowRatio, minOverlapRatio, windowMs, tracks, featuresEvery } = figuresOf(keyframes)
  const features =
    featuresModel === null || featuresEvery === null ? null : { model: featuresModel, every: featuresEvery }
  return {
    ...{ mode, qualityWeights, saliencyWeights, minScore, format, jpegQuality },
    ...{ targetFlowRatio, minOverlapRatio, windowMs, tracks },
    ...{ features, imagesDir },
  }
}

export interface Extraction {
  /** Id in the place of a camera's: what events and logs name it by (`cameraIdOf`). */
  name: string
  path: string
  /** Distinguishes this recording from others of the name (`fingerprint`). */
  epoch: string
  /** With what the command line changes: `{ ...config.defaults.keyframes, mode, format }`. */
  keyframes: KeyframesConfig
  featuresModel: string | null
  /** Of the pictures. Its parent must exist. */
  imagesDir: string
  tonemap: boolean
}

/** What the session of an extraction is told: everything is decoded and nothing is dropped. */
export function extractionSpec(config: Config, extraction: Extraction): SessionSpec<FileSource> {
  const { name, path, epoch, keyframes, featuresModel, imagesDir, tonemap } = extraction
  const { candidateFps, width } = figuresOf(keyframes)
  const { motion } = config.defaults
  const defaults = { ...config.defaults, analysis: { fps: candidateFps, width }, motion: { ...motion, enabled: false } }
  const spec = sessionSpec(config, defaults, {
    camera: name,
    epoch,
    originMs: null,
    source: { kind: 'file', path, passes: 1, speed: null, overflow: 'wait', from: null },
    picturesDir: null,
    faces: null,
    keyframes: keyframeSpec(keyframes, featuresModel, imagesDir),
  })
  return { ...spec, decode: { ...spec.decode, gating: false, hardware: 'off', tonemap } }
}
