/**
 * Motion by background difference on block means. Pure state over one camera's frames, in PTS order.
 * Background: exponential running mean with a time constant in media time, so that the frame rate does not matter
 * (Stauffer and Grimson's adaptive background reduced to one mode; enough for a gate, not for segmentation).
 * The median of the differences is taken off first: a cloud or an auto-exposure step moves all blocks alike.
 */
import { type BlockGrid, medianGreyLevel } from './difference.ts'

/** How long something must stay to become background: 63 % after this time. */
const BACKGROUND_SECONDS = 3

export class MotionModel {
  readonly #threshold: number
  #background: BlockGrid | undefined
  #differences = new Float32Array()
  #lastMs = 0

  /** `threshold` in grey levels of a block mean. */
  constructor(threshold: number) {
    this.#threshold = threshold
  }

  /** Share of blocks that differ from the background, 0–1. The first frame after a reset gives 0. */
  step(grid: BlockGrid, ptsMs: number): number {
    const background = this.#background
    if (!background || background.columns !== grid.columns || background.rows !== grid.rows) {
      this.#background = { ...grid, means: grid.means.slice() }
      this.#differences = new Float32Array(grid.means.length)
      this.#lastMs = ptsMs
      return 0
    }
    const differences = this.#differences
    for (let i = 0; i < differences.length; i++) differences[i] = grid.means[i]! - background.means[i]!
    const shift = medianGreyLevel(differences)
    let moving = 0
    for (const difference of differences) if (Math.abs(difference - shift) > this.#threshold) moving++
    const alpha = 1 - Math.exp(-Math.max(0, ptsMs - this.#lastMs) / (BACKGROUND_SECONDS * 1000))
    for (let i = 0; i < differences.length; i++) {
      background.means[i] = background.means[i]! + alpha * differences[i]!
    }
    this.#lastMs = ptsMs
    return differences.length === 0 ? 0 : moving / differences.length
  }

  reset(): void {
    this.#background = undefined
  }
}
