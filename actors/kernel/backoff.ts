/**
 * How long to wait before the next attempt: exponential, bounded, jittered.
 * Runs in the daemon. Pure apart from the injected random numbers; never waits itself.
 *
 * Theory. The step grows geometrically, and each delay is drawn from [step, step × (1 + jitterRatio)], so that fifty
 * cameras behind one switch do not come back in the same millisecond. The step is capped at maxMs / (1 + jitterRatio):
 * delays stay within [minMs, maxMs] *and* stay spread out at the ceiling, where clamping would line them up again.
 */
import { GrabberError } from '../../core/errors.ts'

export interface BackoffSpec {
  /** Shortest delay, ms, > 0; the first step. */
  minMs: number
  /** Longest delay, ms, jitter included. */
  maxMs: number
  /** Growth per attempt, ≥ 1. */
  factor: number
  /** Width of the jitter as a share of the step, 0–1. */
  jitterRatio: number
}

/** What is wrong with the specification; empty when nothing is. */
export function backoffProblems(spec: BackoffSpec): string[] {
  const problems: string[] = []
  // From 0 the step would never grow: a hot loop.
  if (!(spec.minMs > 0)) problems.push(`backoff.minMs is ${spec.minMs}`)
  if (!(spec.maxMs >= spec.minMs && Number.isFinite(spec.maxMs))) problems.push(`backoff.maxMs is ${spec.maxMs}`)
  if (!(spec.factor >= 1)) problems.push(`backoff.factor is ${spec.factor}`)
  if (!(spec.jitterRatio >= 0 && spec.jitterRatio <= 1)) problems.push(`backoff.jitterRatio is ${spec.jitterRatio}`)
  return problems
}

export class Backoff {
  readonly #spec: BackoffSpec
  readonly #random: () => number
  #attempt = 0

  /** `random` yields numbers in [0, 1). Throws ACT_DEFECT on a specification that makes no sense. */
  constructor(spec: BackoffSpec, random: () => number = Math.random) {
    const problems = backoffProblems(spec)
    if (problems.length > 0) throw new GrabberError('ACT_DEFECT', problems.join('; '))
    this.#spec = spec
    this.#random = random
  }

  /** Delays given out since the last reset. */
  get attempt(): number {
    return this.#attempt
  }

  /** The delay before the next attempt, ms; each call takes one step up. */
  nextMs(): number {
    const { minMs, maxMs, factor, jitterRatio } = this.#spec
    const ceiling = Math.max(minMs, maxMs / (1 + jitterRatio))
    const step = Math.min(ceiling, minMs * factor ** this.#attempt)
    this.#attempt++
    return Math.min(maxMs, step * (1 + jitterRatio * this.#random()))
  }

  reset(): void {
    this.#attempt = 0
  }
}
