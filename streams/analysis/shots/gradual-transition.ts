/**
 * Dissolves: one shot that fades into another. Pure state over small grey copies of the pictures, in PTS order; bounded.
 *
 * By the production model of Hampapur, Jain and Weymouth (Digital video segmentation, ACM Multimedia 1994): every picture of a
 * dissolve is a·A + (1 − a)·B of the last picture before and the first behind it, and a falls from 1 to 0. So: two pictures that have
 * nothing to do with each other, and all between them are mixtures of the two in that order. A pan or a run through a scene also ends
 * where nothing is left of its beginning, but what lies between is no mixture: of three unrelated pictures the best mixture of
 * two leaves three quarters of their distance unexplained.
 */
import type { LumaView } from '../../../core/frame.ts'
import { isSamePlace } from './same-place.ts'

/** Copies that are kept, at least STEP_MS apart: dissolves of up to two seconds, which few exceed. */
const KEPT = 20
const STEP_MS = 100
/** A cut takes one picture; with fewer mixtures than this it is none of ours. */
const LEAST_MIXTURES = 3
/** A picture with more than this share of both is a mixture. */
const MIXED = 0.1
/**
 * Squared distance from the best mixture, as a share of that of A and B. Measured: at most 0.01 in a dissolve of two standing shots, 0.03
 * where one pans by an eighth of a diagonal a second; from 0.06 where a camera turns slowly, whose large shapes pass for mixtures longest.
 */
const UNEXPLAINED = 0.04
/** The share of A may rise by this from one to the next: noise. */
const SLACK = 0.04
/** Mean squared distance, grey levels²: less is a dissolve between pictures without contrast, or none. */
const LEAST_DISTANCE = 100

interface Copy {
  ptsMs: number
  grid: LumaView
}

/** JSON. */
export interface TransitionState {
  ptsMs: number[]
  /** Base64 of the grids' bytes. */
  grids: string[]
}

export class GradualTransitions {
  #copies: Copy[] = []

  /** True when a dissolve has gone so far that this picture shows the next shot. All grids are of one size; they are kept. */
  step(grid: LumaView, ptsMs: number): boolean {
    const last = this.#copies.at(-1)
    if (last && ptsMs - last.ptsMs < STEP_MS) return false
    this.#copies.push({ ptsMs, grid })
    if (this.#copies.length > KEPT) this.#copies.shift()
    for (let from = this.#copies.length - LEAST_MIXTURES - 2; from >= 0; from--) {
      if (!this.#isDissolve(from)) continue
      this.forget()
      return true
    }
    return false
  }

  /** After a cut: what was before it is no part of a transition. */
  forget(): void {
    this.#copies = []
  }

  save(): TransitionState {
    return {
      ptsMs: this.#copies.map(({ ptsMs }) => ptsMs),
      grids: this.#copies.map(({ grid }) => Buffer.from(grid.data).toString('base64')),
    }
  }

  /** `like` has the size of the grids that were saved. */
  load({ ptsMs, grids }: TransitionState, like: LumaView): void {
    this.#copies = grids.map((text, n) => ({
      ptsMs: ptsMs[n]!,
      grid: { ...like, data: new Uint8Array(Buffer.from(text, 'base64')) },
    }))
  }

  /** From the copy `from` to the last one. */
  #isDissolve(from: number): boolean {
    const before = this.#copies[from]!.grid
    const after = this.#copies.at(-1)!.grid
    const distance = apart(before.data, after.data)
    if (distance < LEAST_DISTANCE) return false
    let earlier = 1
    let mixtures = 0
    for (const { grid } of this.#copies.slice(from + 1, -1)) {
      const share = shareOf(before.data, after.data, grid.data, distance)
      if (share > earlier + SLACK) return false
      if (residual(before.data, after.data, grid.data, share) > UNEXPLAINED * distance) return false
      if (share > MIXED && share < 1 - MIXED) mixtures++
      earlier = share
    }
    // The search over all shifts last: it costs more than everything before.
    return mixtures >= LEAST_MIXTURES && !isSamePlace(before, after)
  }
}

type Bytes = Uint8Array

/** Mean squared distance with the mean taken out of it, so that a change of exposure alone is none. */
function apart(a: Bytes, b: Bytes): number {
  let sum = 0
  let squares = 0
  for (let i = 0; i < a.length; i++) {
    const d = a[i]! - b[i]!
    sum += d
    squares += d * d
  }
  return squares / a.length - (sum / a.length) ** 2
}

/** Least squares share of A in `mixture`, 0–1 in a dissolve; of deviations from the mean. */
function shareOf(a: Bytes, b: Bytes, mixture: Bytes, distance: number): number {
  let [sumD, sumM, product] = [0, 0, 0]
  for (let i = 0; i < a.length; i++) {
    const d = a[i]! - b[i]!
    const m = mixture[i]! - b[i]!
    sumD += d
    sumM += m
    product += d * m
  }
  return (product / a.length - (sumD / a.length) * (sumM / a.length)) / distance
}

function residual(a: Bytes, b: Bytes, mixture: Bytes, share: number): number {
  let [sum, squares] = [0, 0]
  for (let i = 0; i < a.length; i++) {
    const e = mixture[i]! - share * a[i]! - (1 - share) * b[i]!
    sum += e
    squares += e * e
  }
  return squares / a.length - (sum / a.length) ** 2
}
