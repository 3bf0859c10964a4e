/**
 * What work a shot will take, from its nine metrics: a ridge regression on synthetic shots (script/train-complexity), with an
 * interval by split conformal prediction (Lei et al., Distribution-free predictive inference for regression, JASA 2018). Pure.
 * The weights and how well they do lie in complexity-model.json. It says little of shots unlike those it was trained on, and says so:
 * its confidence falls, and its interval widens, with Mahalanobis's distance from them.
 */
import { type ComplexityForecast, complexityMetrics, type ShotComplexity } from '../../../core/shot.ts'
import shipped from './complexity-model.json' with { type: 'json' }

export interface ComplexityModel {
  /** What it is, for a person. */
  about: string
  /** Metrics are made comparable by ln(1 + value / unit), which takes the long tails; in the order of `complexityMetrics`. */
  unit: readonly number[]
  mean: readonly number[]
  deviation: readonly number[]
  /** Of the terms (`termsOf`), the constant first. The sum is log₂ of the complexity. */
  weights: readonly number[]
  /** [9][9], of the standardised metrics. */
  inverseCovariance: readonly (readonly number[])[]
  /** Mahalanobis distance below which 95 % of the training's shots lie. */
  usualDistance: number
  /** Half the width of the interval, log₂, and the share of shots that it holds. */
  halfWidth: number
  coverage: number
  /** Of the training. */
  training: {
    seed: number
    shots: { training: number; calibration: number; test: number }
    ridge: number
    /** On shots that neither training nor calibration saw. */
    test: { r2: number; coverage: number; medianErrorRatio: number }
  }
}

/** Twice the usual distance halves the confidence. */
const FALLING = 1

/** `model`: the shipped one. */
export function forecastShot(metrics: ShotComplexity, model: ComplexityModel = shipped): ComplexityForecast {
  const z = standardised(metrics, model)
  const beyond = Math.max(0, distance(z, model.inverseCovariance) / model.usualDistance - 1)
  const log2 = predict(z, model.weights)
  const halfWidth = model.halfWidth * (1 + beyond)
  return {
    complexity: 2 ** log2,
    low: 2 ** (log2 - halfWidth),
    high: 2 ** (log2 + halfWidth),
    confidence: model.coverage / (1 + FALLING * beyond),
  }
}

/** Within three deviations of the training: a polynomial far outside says anything. */
function standardised(metrics: ShotComplexity, { unit, mean, deviation }: ComplexityModel): number[] {
  return comparable(metrics, unit).map((value, n) => (value - mean[n]!) / deviation[n]!)
}

/** ln(1 + value / unit), in the order of `complexityMetrics`. */
export function comparable(metrics: ShotComplexity, unit: readonly number[]): number[] {
  return complexityMetrics.map((name, n) => Math.log1p(Math.max(0, metrics[name]) / unit[n]!))
}

const REACH = 3

/** The constant, each metric, and each product of two of them, squares included: of 9 metrics 55. */
export function termsOf(z: readonly number[]): number[] {
  const held = z.map((value) => Math.max(-REACH, Math.min(REACH, value)))
  const products = held.flatMap((a, i) => held.slice(i).map((b) => a * b))
  return [1, ...held, ...products]
}

export function predict(z: readonly number[], weights: readonly number[]): number {
  return termsOf(z).reduce((sum, term, n) => sum + term * weights[n]!, 0)
}

/** Mahalanobis's. */
export function distance(z: readonly number[], inverse: readonly (readonly number[])[]): number {
  let sum = 0
  for (const [i, a] of z.entries()) for (const [j, b] of z.entries()) sum += a * b * inverse[i]![j]!
  return Math.sqrt(Math.max(0, sum))
}
