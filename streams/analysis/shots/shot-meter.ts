/**
 * Shots and what they are like, from the records of a recording. Pure state, a few sums a shot: whoever has the records (the job that
 * writes a result) makes the shots of them, whether the extraction was done in one go or was resumed.
 */
import type { FrameRecord } from '../../../core/keyframe.ts'
import type { FrameLook, ShotBegin, ShotComplexity, ShotReport } from '../../../core/shot.ts'
import { forecastShot } from './complexity-forecast.ts'

/** Fewer candidates with a known motion than this say nothing of what a shot takes. */
const LEAST_STEPS = 5
/** A shot of one candidate is the start of a whip pan that looked like a cut (frame-looks), or a flash: part of the shot before it. */
const LEAST_CANDIDATES = 2
const LBP_BITS = 8
const OCTANT_BITS = 3

/** Sums over the candidates of a shot, in whatever order they are decided. */
interface Sums {
  begins: ShotBegin
  fromSeq: number
  toSeq: number
  fromMs: number
  toMs: number
  candidates: number
  keyframes: number
  /** Those whose motion is known. */
  steps: number
  seconds: number
  flow: number
  directions: number[]
  shakeSquares: number
  unexplained: number
  brightnessSquares: number
  blur: number
  texture: number
  edges: number
  colour: number
}

const summed = [
  'candidates',
  'keyframes',
  'steps',
  'seconds',
  'flow',
  'shakeSquares',
  'unexplained',
  'brightnessSquares',
  'blur',
  'texture',
  'edges',
  'colour',
] as const satisfies readonly (keyof Sums)[]

export class ShotMeter {
  readonly #shots = new Map<number, Sums>()

  /** Records without a look (of an older journal) are left out. */
  add(record: FrameRecord): void {
    const { look, measures, score, seq, ptsMs } = record
    if (!look) return
    const sums = this.#sumsOf(look, seq, ptsMs)
    if (look.begins !== null) sums.begins = look.begins
    if (seq < sums.fromSeq) [sums.fromSeq, sums.fromMs] = [seq, ptsMs]
    if (seq > sums.toSeq) [sums.toSeq, sums.toMs] = [seq, ptsMs]
    sums.candidates++
    if (record.chosen) sums.keyframes++
    sums.blur += 1 - (score.parts.sharpness ?? 1)
    sums.texture += measures.lbpEntropy / LBP_BITS
    sums.edges += measures.edgeDensity
    sums.colour += measures.colourfulness
    sums.brightnessSquares += look.brightness ** 2
    if (look.stepMs > 0) addStep(sums, look)
  }

  /** In order. */
  finish(): ShotReport[] {
    const shots: Sums[] = []
    for (const sums of [...this.#shots.values()].sort((a, b) => a.fromSeq - b.fromSeq)) {
      const before = shots.at(-1)
      if (before && sums.candidates < LEAST_CANDIDATES) merge(before, sums)
      else shots.push(structuredClone(sums))
    }
    return shots.map((sums, index) => reportOf(index, sums))
  }

  #sumsOf({ shot }: FrameLook, seq: number, ptsMs: number): Sums {
    const known = this.#shots.get(shot)
    if (known) return known
    const sums: Sums = {
      begins: shot === 0 ? 'start' : 'cut',
      fromSeq: seq,
      toSeq: seq,
      fromMs: ptsMs,
      toMs: ptsMs,
      candidates: 0,
      keyframes: 0,
      steps: 0,
      seconds: 0,
      flow: 0,
      directions: new Array<number>(8).fill(0),
      shakeSquares: 0,
      unexplained: 0,
      brightnessSquares: 0,
      blur: 0,
      texture: 0,
      edges: 0,
      colour: 0,
    }
    this.#shots.set(shot, sums)
    return sums
  }
}

function addStep(sums: Sums, { stepMs, flow, directions, shake, unexplained }: FrameLook): void {
  sums.steps++
  sums.seconds += stepMs / 1000
  sums.flow += flow
  for (const [octant, length] of directions.entries()) sums.directions[octant]! += length
  sums.unexplained += unexplained
  sums.shakeSquares += shake * shake
}

/** `sums` gets what `more` has; its beginning stays. */
function merge(sums: Sums, more: Sums): void {
  if (more.toSeq > sums.toSeq) [sums.toSeq, sums.toMs] = [more.toSeq, more.toMs]
  for (const key of summed) sums[key] += more[key]
  for (const [octant, length] of more.directions.entries()) sums.directions[octant]! += length
}

function reportOf(index: number, sums: Sums): ShotReport {
  const { begins, fromSeq, toSeq, fromMs, toMs, candidates, keyframes } = sums
  const metrics = metricsOf(sums)
  const forecast = sums.steps < LEAST_STEPS ? null : forecastShot(metrics)
  return { index, begins, fromSeq, toSeq, fromMs, toMs, candidates, keyframes, metrics, forecast }
}

function metricsOf(sums: Sums): ShotComplexity {
  const { candidates } = sums
  const steps = Math.max(1, sums.steps)
  return {
    motion: sums.seconds === 0 ? 0 : sums.flow / sums.seconds,
    motionVariety: entropy(sums.directions) / OCTANT_BITS,
    shake: Math.sqrt(sums.shakeSquares / steps),
    blur: sums.blur / candidates,
    texture: sums.texture / candidates,
    edges: sums.edges / candidates,
    colourVariety: sums.colour / candidates,
    brightnessChange: Math.sqrt(sums.brightnessSquares / Math.max(1, candidates - 1)),
    crowding: sums.unexplained / steps,
  }
}

/** Bits; 0 where there is no motion. */
function entropy(weights: readonly number[]): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  if (total === 0) return 0
  return -weights.reduce((sum, weight) => (weight === 0 ? sum : sum + (weight / total) * Math.log2(weight / total)), 0)
}
