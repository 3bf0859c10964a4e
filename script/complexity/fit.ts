/**
 * The fit of the complexity forecast: ridge regression with its penalty chosen by cross-validation, the conformal interval, and the
 * figures about both. Pure.
 */
import type { ShotComplexity } from '../../core/shot.ts'
import {
  type ComplexityModel,
  comparable,
  distance,
  predict,
  termsOf,
} from '../../streams/analysis/shots/complexity-forecast.ts'

export interface Example {
  metrics: ShotComplexity
  /** Relative: its unit cancels. */
  work: number
}

const COVERAGE = 0.8
const PENALTIES = [0.03, 0.1, 0.3, 1, 3, 10, 30]
const FOLDS = 5
/** Added to the covariance of standardised metrics: two that say the same would make distances between them infinite. */
const SHRINKAGE = 0.05
const DIGITS = 6

/** The first half is trained on, a quarter calibrates, a quarter tests: the examples come in no order. */
export function fitModel(examples: readonly Example[], seed: number): ComplexityModel {
  const half = Math.floor(examples.length / 2)
  const quarter = Math.floor(examples.length / 4)
  const training = examples.slice(0, half)
  const calibration = examples.slice(half, half + quarter)
  const test = examples.slice(half + quarter)
  const unit = [...new Array(9).keys()].map((n) => positiveMedian(training, n))
  const logs = training.map(({ metrics }) => comparable(metrics, unit))
  const mean = columnsOf(logs).map(meanOf)
  const deviation = columnsOf(logs).map((column) => Math.max(1e-6, deviationOf(column)))
  const scale = (example: Example) => comparable(example.metrics, unit).map((v, n) => (v - mean[n]!) / deviation[n]!)
  const usual = medianOf(training.map(({ work }) => work))
  const targetOf = ({ work }: Example) => Math.log2(work / usual)
  const z = training.map(scale)
  const terms = z.map(termsOf)
  const targets = training.map(targetOf)
  const penalty = bestPenalty(terms, targets)
  const weights = ridge(terms, targets, penalty)
  const inverseCovariance = inverse(covariance(z))
  const errorOf = (example: Example) => Math.abs(predict(scale(example), weights) - targetOf(example))
  // Of n errors the ⌈(n + 1)·coverage⌉-th smallest: holds for a new shot with at least that probability.
  const errors = calibration.map(errorOf).sort((a, b) => a - b)
  const halfWidth = errors[Math.min(errors.length - 1, Math.ceil((errors.length + 1) * COVERAGE) - 1)]!
  const distances = z.map((each) => distance(each, inverseCovariance)).sort((a, b) => a - b)
  const testErrors = test.map(errorOf)
  const testTargets = test.map(targetOf)
  const spread = testTargets.reduce((sum, target) => sum + (target - meanOf(testTargets)) ** 2, 0)
  const model: ComplexityModel = {
    about:
      'Work of high_quality and its second pass on a second of a shot, log2, against the median: ridge regression on products of nine metrics, trained on synthetic shots alone. Written by script/train-complexity.',
    unit,
    mean,
    deviation,
    weights,
    inverseCovariance,
    usualDistance: distances[Math.floor(0.95 * distances.length)]!,
    halfWidth,
    coverage: COVERAGE,
    training: {
      seed,
      shots: { training: training.length, calibration: calibration.length, test: test.length },
      ridge: penalty,
      test: {
        r2: 1 - testErrors.reduce((sum, error) => sum + error * error, 0) / spread,
        coverage: testErrors.filter((error) => error <= halfWidth).length / testErrors.length,
        medianErrorRatio: 2 ** medianOf(testErrors),
      },
    },
  }
  return rounded(model) as ComplexityModel
}

function bestPenalty(terms: number[][], targets: number[]): number {
  const lossOf = (penalty: number) => {
    let loss = 0
    for (let fold = 0; fold < FOLDS; fold++) {
      const inside = (_: unknown, n: number) => n % FOLDS !== fold
      const weights = ridge(terms.filter(inside), targets.filter(inside), penalty)
      for (const [n, row] of terms.entries()) if (!inside(0, n)) loss += (dot(row, weights) - targets[n]!) ** 2
    }
    return loss
  }
  return PENALTIES.map((penalty) => ({ penalty, loss: lossOf(penalty) })).sort((a, b) => a.loss - b.loss)[0]!.penalty
}

/** The constant is not penalised. */
function ridge(rows: readonly number[][], targets: readonly number[], penalty: number): number[] {
  const size = rows[0]!.length
  const matrix = Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (_, j) => rows.reduce((sum, row) => sum + row[i]! * row[j]!, 0)),
  )
  for (let i = 1; i < size; i++) matrix[i]![i]! += penalty
  const right = Array.from({ length: size }, (_, i) => rows.reduce((sum, row, n) => sum + row[i]! * targets[n]!, 0))
  return inverse(matrix).map((row) => dot(row, right))
}

function covariance(z: readonly number[][]): number[][] {
  const size = z[0]!.length
  return Array.from({ length: size }, (_, i) =>
    Array.from(
      { length: size },
      (_, j) => z.reduce((sum, row) => sum + row[i]! * row[j]!, 0) / z.length + (i === j ? SHRINKAGE : 0),
    ),
  )
}

/** Gauss and Jordan, with pivots. */
function inverse(matrix: readonly (readonly number[])[]): number[][] {
  const size = matrix.length
  const rows = matrix.map((row, i) => [...row, ...Array.from({ length: size }, (_, j) => (i === j ? 1 : 0))])
  for (let column = 0; column < size; column++) {
    let pivot = column
    for (let r = column; r < size; r++) if (Math.abs(rows[r]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = r
    const row = rows[pivot]!
    rows[pivot] = rows[column]!
    const divisor = row[column]!
    rows[column] = row.map((value) => value / divisor)
    for (let r = 0; r < size; r++) {
      if (r === column) continue
      const factor = rows[r]![column]!
      rows[r] = rows[r]!.map((value, n) => value - factor * rows[column]![n]!)
    }
  }
  return rows.map((row) => row.slice(size))
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, n) => sum + value * b[n]!, 0)
const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const deviationOf = (values: readonly number[]) =>
  Math.sqrt(meanOf(values.map((value) => (value - meanOf(values)) ** 2)))
const columnsOf = (rows: readonly number[][]) => rows[0]!.map((_, n) => rows.map((row) => row[n]!))

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}

/** Of the shots that have any: the unit of a metric. */
function positiveMedian(examples: readonly Example[], n: number): number {
  const values = examples.map(({ metrics }) => Object.values(metrics)[n]!).filter((value) => value > 0)
  return values.length === 0 ? 1 : medianOf(values)
}

/** Six digits are the same text on every machine. */
function rounded(value: unknown): unknown {
  if (typeof value === 'number') return Number(value.toPrecision(DIGITS))
  if (Array.isArray(value)) return value.map(rounded)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, rounded(each)]))
  return value
}
