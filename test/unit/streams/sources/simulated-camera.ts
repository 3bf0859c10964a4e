/** A camera whose clock drifts, behind a network that queues: what arrives when, and when it was really captured. Test support. */
import { randomOf } from '../../../support/seeded-random.ts'

export interface Simulation {
  seed: number
  seconds: number
  fps: number
  /** By how much the camera's clock runs faster than ours. */
  driftPpm: number
  /** What every picture takes at the least, ms. */
  baseDelayMs: number
  /** Mean of the exponential delay on top, ms. */
  jitterMs: number
  /** Chance per picture that nothing passes for `stallMs` from then on; pictures keep their order. */
  stallChance: number
  stallMs: number
  /** Our wall clock at monotonic 0. */
  wallMs: number
}

export interface SimulatedArrival {
  ptsMs: number
  arrivedAtMs: number
  monotonicMs: number
  /** By the monotonic clock. */
  trulyMs: number
}

export function simulate(options: Simulation): SimulatedArrival[] {
  const { seconds, fps, driftPpm, baseDelayMs, jitterMs, stallChance, stallMs, wallMs } = options
  const random = randomOf(options.seed)
  const arrivals: SimulatedArrival[] = []
  let openMs = 0
  for (let i = 0; i < seconds * fps; i++) {
    const trulyMs = (1000 * i) / fps
    if (random() < stallChance) openMs = trulyMs + stallMs
    const delayMs = baseDelayMs - jitterMs * Math.log(1 - random())
    // No picture overtakes another one.
    openMs = Math.max(openMs, trulyMs + delayMs)
    const ptsMs = 5_000_000 + trulyMs * (1 + driftPpm / 1e6)
    arrivals.push({ ptsMs, monotonicMs: openMs, arrivedAtMs: Math.floor(wallMs + openMs), trulyMs })
  }
  return arrivals
}
