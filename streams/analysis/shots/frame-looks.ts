/**
 * Where shots begin, and what each candidate adds to its shot. Session host only. Pure state over candidates in PTS order, of
 * fixed size: block means of the picture before, two speeds, and small copies of the last two seconds.
 * In two steps, since the motion is known to whoever follows points: `see` the picture, then `tell` with the motion.
 */
import type { LumaView } from '../../../core/frame.ts'
import type { FrameLook, ShotBegin, StepMotion } from '../../../core/shot.ts'
import { type BlockGrid, blockMeans } from '../difference.ts'
import { SceneCuts } from '../scene-cut.ts'
import { GradualTransitions, type TransitionState } from './gradual-transition.ts'
import { isSamePlace, smallCopy } from './same-place.ts'

/** Blocks along each side of a byte: 20 × 11 of 640 × 360 for what is kept for seconds, 40 × 22 for a closer look at two. */
const COPY_BLOCKS = 4
const FINE_BLOCKS = 2
/** Deviation of the small copy below which there is nothing to see, grey levels: black, white, a covered lens. */
const FLAT_DEVIATION = 3
/** Pictures come no faster; a time stamp that stands still must not divide by nothing, ms. */
const LEAST_STEP_MS = 1
/** The second difference of three independent values has six times their variance. */
const SECOND_DIFFERENCE_GAIN = Math.sqrt(6)

/** Of the points' motion, and the time it took. */
export interface KnownMotion {
  motion: StepMotion
  stepMs: number
}

type Pace = 'calm' | 'fast' | 'cut'

interface Speed {
  x: number
  y: number
}

/** JSON; of the last candidate, whose picture is needed as well. */
export interface LooksState {
  ptsMs: number
  pace: Pace
  shot: number
  shotBefore: number
  newest: number
  dissolves: number
  speeds: Speed[]
  transitions: TransitionState
}

export class FrameLooks {
  readonly #cuts = new SceneCuts()
  readonly #transitions = new GradualTransitions()
  /** Of the last picture that was not flat. */
  #before: BlockGrid | undefined
  /** A flat picture came since then. */
  #flat = false
  #meanLuma: number | undefined
  #ptsMs = 0
  /** Newest first. */
  #speeds: Speed[] = []
  /** Where the last picture stood: `calm`, in motion too `fast` to tell a cut from it, or at a `cut` that the next one confirms. */
  #pace: Pace = 'calm'
  #shot = 0
  /** That a cut left, to go back to where it was none; the newest number is not always the present shot's. */
  #shotBefore = 0
  #newest = 0
  #dissolves = 0
  #begins: ShotBegin | null = null
  #brightness = 0

  /** Dissolves so far: what is followed across one leads nowhere, though it is lost bit by bit. */
  get dissolves(): number {
    return this.#dissolves
  }

  /** The last picture is all that is needed to go on, beside `save`. */
  get checkpointable(): boolean {
    return !this.#flat && this.#cuts.isAtLastGrid
  }

  /** Whether a shot begins with this picture. `luma`: the analysis picture; not kept. */
  see(luma: LumaView, ptsMs: number): ShotBegin | null {
    const grid = blockMeans(luma)
    const copy = smallCopy(grid, COPY_BLOCKS)
    this.#begins = this.#boundary(grid, copy, ptsMs)
    const meanLuma = mean(grid.means)
    const seconds = Math.max(LEAST_STEP_MS, ptsMs - this.#ptsMs) / 1000
    this.#brightness = this.#begins === null ? (meanLuma - (this.#meanLuma ?? meanLuma)) / seconds : 0
    this.#meanLuma = meanLuma
    this.#ptsMs = ptsMs
    if (this.#begins !== null) this.#speeds = []
    return this.#begins
  }

  /** Of the picture that was seen last; `null` where its motion is not known. */
  tell(known: KnownMotion | null): FrameLook {
    const moved = this.#begins === null && known !== null && known.stepMs > 0 ? known : null
    const shake = this.#shakeOf(moved)
    return {
      shot: this.#shot,
      begins: this.#begins,
      stepMs: moved?.stepMs ?? 0,
      ...(moved?.motion ?? { dx: 0, dy: 0, flow: 0, directions: new Array<number>(8).fill(0), unexplained: 0 }),
      shake,
      brightness: this.#brightness,
    }
  }

  save(): LooksState {
    return {
      ptsMs: this.#ptsMs,
      pace: this.#pace,
      shot: this.#shot,
      shotBefore: this.#shotBefore,
      newest: this.#newest,
      dissolves: this.#dissolves,
      speeds: this.#speeds,
      transitions: this.#transitions.save(),
    }
  }

  /** `luma` is of the candidate after which the state was saved. */
  load({ ptsMs, pace, shot, shotBefore, newest, dissolves, speeds, transitions }: LooksState, luma: LumaView): void {
    const grid = blockMeans(luma)
    this.#before = grid
    this.#cuts.step(grid)
    this.#transitions.load(transitions, smallCopy(grid, COPY_BLOCKS))
    this.#meanLuma = mean(grid.means)
    this.#ptsMs = ptsMs
    this.#pace = pace
    this.#shot = shot
    this.#shotBefore = shotBefore
    this.#newest = newest
    this.#dissolves = dissolves
    this.#speeds = speeds
  }

  #boundary(grid: BlockGrid, copy: LumaView, ptsMs: number): ShotBegin | null {
    const isCut = this.#cuts.step(grid)
    if (deviation(copy.data) < FLAT_DEVIATION) {
      this.#flat = true
      this.#transitions.forget()
      return this.#meanLuma === undefined ? 'start' : null
    }
    const [before, throughFlat] = [this.#before, this.#flat]
    this.#before = grid
    this.#flat = false
    if (this.#meanLuma === undefined) {
      this.#transitions.step(copy, ptsMs)
      return 'start'
    }
    const paceBefore = this.#pace
    this.#pace = before ? paceOf(before, grid, isCut) : 'calm'
    if (this.#pace !== 'calm') this.#transitions.forget()
    const isDissolved = this.#transitions.step(copy, ptsMs)
    if (throughFlat && this.#pace === 'cut') return this.#begin('fade')
    if (paceBefore === 'calm' && this.#pace === 'cut') return this.#begin('cut')
    // No cut, then, but the start of a whip pan: what it shows is the same shot.
    if (paceBefore === 'cut' && this.#pace !== 'calm') this.#shot = this.#shotBefore
    if (!isDissolved) return null
    this.#dissolves++
    return this.#begin('dissolve')
  }

  #begin(how: ShotBegin): ShotBegin {
    this.#shotBefore = this.#shot
    this.#shot = ++this.#newest
    return how
  }

  #shakeOf(moved: KnownMotion | null): number {
    if (!moved) {
      this.#speeds = []
      return 0
    }
    const seconds = moved.stepMs / 1000
    const now = { x: moved.motion.dx / seconds, y: moved.motion.dy / seconds }
    const [one, two] = this.#speeds
    this.#speeds = one ? [now, one] : [now]
    if (!one || !two) return 0
    return Math.hypot(now.x - 2 * one.x + two.x, now.y - 2 * one.y + two.y) / SECOND_DIFFERENCE_GAIN
  }
}

/** A whip pan leaves few tiles where they were, too; it comes from fast motion and goes on in it. */
function paceOf(before: BlockGrid, now: BlockGrid, tilesAreGone: boolean): Pace {
  if (!tilesAreGone) return 'calm'
  return isSamePlace(smallCopy(before, FINE_BLOCKS), smallCopy(now, FINE_BLOCKS)) ? 'fast' : 'cut'
}

function mean(values: Float32Array): number {
  let sum = 0
  for (const value of values) sum += value
  return sum / values.length
}

function deviation(values: Uint8Array): number {
  let [sum, squares] = [0, 0]
  for (const value of values) {
    sum += value
    squares += value * value
  }
  return Math.sqrt(Math.max(0, squares / values.length - (sum / values.length) ** 2))
}
