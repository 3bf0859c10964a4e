/**
 * Candidates made of pictures, and a run of the selector over them that keeps the caller's books: what is held, what is kept.
 */
import { expect } from 'vitest'
import type { LumaView } from '../../../../../core/frame.ts'
import type { PictureFault } from '../../../../../core/keyframe.ts'
import type { FrameMeasures } from '../../../../../core/measures.ts'
import type { KeyframeSpec } from '../../../../../core/wire/session-spec.ts'
import { FrameMeter } from '../../../../../streams/analysis/measures/frame-meter.ts'
import { KeyframeSelector } from '../../../../../streams/analysis/selection/keyframe-selector.ts'
import type {
  ChosenFrame,
  DecidedFrame,
  KeyframeCandidate,
  SelectionStep,
} from '../../../../../streams/analysis/selection/selection-words.ts'
import { SIZE } from './layered-scene.ts'

export const STEP_MS = 100

export const spec: KeyframeSpec = {
  mode: 'balanced',
  qualityWeights: {},
  saliencyWeights: { spatial: 0.35, semantic: 0.25, geometric: 0.25, texture: 0.15 },
  minScore: 0.3,
  targetFlowRatio: 0.1,
  minOverlapRatio: 0.5,
  windowMs: 400,
  tracks: 300,
  features: null,
  format: 'jpg',
  imagesDir: null,
  jpegQuality: 3,
}

/** The n-th candidate of a clip of ten a second. */
export function candidate(n: number, luma: LumaView, more: Partial<KeyframeCandidate> = {}): KeyframeCandidate {
  const measures = measure(luma)
  const faults: PictureFault[] = measures.meanLuma < 20 ? ['dark'] : []
  const score = { score: faults.length > 0 ? 0.1 : 0.7, parts: {}, faults }
  return {
    seq: 3 * n,
    ptsMs: n * STEP_MS,
    scene: 0,
    luma,
    measures,
    score,
    saliency: { score: 0.5, parts: {} },
    ...more,
  }
}

const meter = new FrameMeter(SIZE)
const grey = new Uint8Array((SIZE.width * SIZE.height) / 4).fill(128)

function measure(luma: LumaView): FrameMeasures {
  const chroma = { cb: grey, cr: grey, stride: SIZE.width / 2 }
  return meter.measure({ small: { luma, chroma }, full: null })
}

/** Runs all of them; fails when the caller could not have followed. */
export function select(
  candidates: Iterable<KeyframeCandidate>,
  selector = new KeyframeSelector(spec, SIZE),
): DecidedFrame[] {
  const books = new Books()
  for (const one of candidates) books.enter(selector.step(one), one.seq)
  books.enter(selector.finish(), null)
  expect([...books.held]).toEqual([])
  return books.records
}

/** What a caller does with the steps. */
export class Books {
  readonly records: DecidedFrame[] = []
  readonly held = new Set<number>()
  mostHeld = 0

  enter(step: SelectionStep, seq: number | null): void {
    if (step.hold) this.held.add(seq!)
    this.mostHeld = Math.max(this.mostHeld, this.held.size)
    for (const done of [...step.keep, ...step.forget]) expect(this.held.delete(done)).toBe(true)
    this.records.push(...step.records)
  }
}

export function chosen(records: readonly DecidedFrame[]): ChosenFrame[] {
  return records.filter((record) => record.chosen) as ChosenFrame[]
}

/** Numbers of the candidates that were chosen. */
export function chosenNumbers(records: readonly DecidedFrame[]): number[] {
  return chosen(records).map(({ seq }) => seq / 3)
}
