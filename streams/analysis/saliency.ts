/**
 * How much a picture shows: four parts and their weighted mean. Pure; session host only.
 */
import { type Saliency, type SaliencyPart, saliencyParts } from '../../core/keyframe.ts'
import type { FrameMeasures } from '../../core/measures.ts'
import { logRamp, ramp, weightedMean } from './ramp.ts'

/** What a model of dense features saw (models/dense-features). */
export interface SemanticView {
  /** 0–1. */
  richness: number
}

/** `semantic` is `null` where no model looked at it: the part is left out, and the other weights stand for the whole. */
export function saliencyOf(
  m: FrameMeasures,
  semantic: SemanticView | null,
  weights: Readonly<Record<SaliencyPart, number>>,
): Saliency {
  const parts: Partial<Record<SaliencyPart, number>> = {
    // How much there is: edges, shades, colours.
    spatial: (ramp(m.edgeDensity, 0, 0.12) + ramp(m.lumaEntropy, 4, 7.5) + ramp(m.colourfulness, 0, 70)) / 3,
    // What a pose can be found by: points, how they are spread, and lines that cross.
    geometric:
      (logRamp(m.cornerDensity, 0.1, 10) + m.cornerSpread + Math.sqrt(ramp(m.lineDensity, 0, 0.2) * m.lineDiversity)) /
      3,
    // How its surfaces look from near: patterns, local contrast, how seldom a pair of levels repeats.
    texture: (ramp(m.lbpEntropy, 3, 7) + logRamp(m.glcmContrast, 0.1, 8) + ramp(m.glcmHomogeneity, 1, 0.5)) / 3,
  }
  if (semantic) parts.semantic = ramp(semantic.richness, 0, 1)
  return { score: weightedMean(parts, weights), parts: inOrder(parts) }
}

/** In the order of the table, so that what is written from it does not hang on which part came last. */
function inOrder(parts: Partial<Record<SaliencyPart, number>>): Saliency['parts'] {
  const ordered: Saliency['parts'] = {}
  for (const name of saliencyParts) if (parts[name] !== undefined) ordered[name] = parts[name]
  return ordered
}
