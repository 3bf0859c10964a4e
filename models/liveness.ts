/**
 * MiniFASNet, the liveness models: a square around a face in, the probabilities of its three classes out. Pure; runs in
 * the engine's inference thread (`liveFromResult` in session hosts).
 * minivision-ai/Silent-Face-Anti-Spoofing: BGR 0–255 without any normalisation, softmax over three logits, class 1 is live.
 */
import { GrabberError } from '../core/errors.ts'
import type { InferResult } from '../core/ports.ts'
import type { ModelAdapter } from './adapter.ts'
import type { ModelEntry } from './model-entry.ts'
import { squareCropInput } from './square-crop.ts'

const CLASSES = 3
const LIVE_CLASS = 1

/** Takes the crop of the manifest's size only. Answers 1 × 3, softmax. */
export function livenessAdapter(entry: ModelEntry): ModelAdapter {
  return {
    ...squareCropInput(entry),
    unpack(outputs, index) {
      const logits = Object.values(outputs)[0]?.data.subarray(index * CLASSES, (index + 1) * CLASSES)
      if (logits?.length !== CLASSES) throw new Error(`the model does not answer ${CLASSES} classes`)
      return { rows: 1, columns: CLASSES, data: softmax(logits) }
    },
  }
}

/** P(live), 0–1. */
export function liveFromResult(result: InferResult): number {
  if (result.rows !== 1 || result.columns !== CLASSES) {
    throw new GrabberError('ENG_PROTOCOL', `liveness is 1 × ${CLASSES}, not ${result.rows} × ${result.columns}`)
  }
  return result.data[LIVE_CLASS]!
}

function softmax(logits: Float32Array): Float32Array {
  const highest = Math.max(...logits)
  if (!Number.isFinite(highest)) throw new Error('a liveness logit is not a number')
  const powers = Array.from(logits, (logit) => Math.exp(logit - highest))
  const sum = powers.reduce((total, power) => total + power, 0)
  if (!Number.isFinite(sum)) throw new Error('a liveness logit is not a number')
  return Float32Array.from(powers, (power) => power / sum)
}
