/**
 * Where shots begin, and what each candidate adds to its shot. Session host only. Pure state over candidates in PTS order, of
 * fixed size: block means of the picture before, two speeds, and small copies of the last two seconds.
 * In two steps, since the motion is known to whoever follows points: `see` the picture, then `tell` with the motion.
 */
import type { LumaView } from '../../../core/frame.ts'
import type { FrameLook, ShotBegin, StepMotion } from '../../../core/shot.ts'
import { type BlockGrid, blockMeans } from '../difference.ts'
import { SceneCuts } from '../scene-cut.ts'
import { coarseShift } from '../selection/coarse-shift.ts'
import { GradualTransitions, type TransitionState } from './gradual-transition.ts'

/** Blocks along each side that become one byte of the small copy: 20 × 11 of 640 × 360. */
const COPY_BLOCKS = 4
/** Correlation, over all shifts, from which two pictures are of one place: a whip pan is no cut, however few tiles are found. */
const RELATED = 0.6
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

interface Speed {
  x: number
  y: number
}

/** JSON; of the last candidate, whose picture is needed as well. */
export interface LooksState {
  ptsMs: number
  shot: number
  dissolves: number
  speeds: Speed[]
  transitions: TransitionState
}

export class FrameLooks {
  readonly #cuts = new SceneCuts()
  readonly #transitions = new GradualTransitions()
  /** Small copy of the last picture that was not flat. */
  #before: LumaView | undefined
  /** A flat picture came since then. */
  #flat = false
  #meanLuma: number | undefined
  #ptsMs = 0
  /** Newest first. */
  #speeds: Speed[] = []
  #shot = 0
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
    const copy = smallCopy(grid)
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
      shot: this.#shot,
      dissolves: this.#dissolves,
      speeds: this.#speeds,
      transitions: this.#transitions.save(),
    }
  }

  /** `luma` is of the candidate after which the state was saved. */
  load({ ptsMs, shot, dissolves, speeds, transitions }: LooksState, luma: LumaView): void {
    const grid = blockMeans(luma)
    this.#before = smallCopy(grid)
    this.#cuts.step(grid)
    this.#transitions.load(transitions, this.#before)
    this.#meanLuma = mean(grid.means)
    this.#ptsMs = ptsMs
    this.#shot = shot
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
    this.#before = copy
    this.#flat = false
    if (this.#meanLuma === undefined) {
      this.#transitions.step(copy, ptsMs)
      return 'start'
    }
    if (isCut && before && coarseShift(before, copy).correlation < RELATED) {
      this.#transitions.forget()
      this.#transitions.step(copy, ptsMs)
      this.#shot++
      return throughFlat ? 'fade' : 'cut'
    }
    if (!this.#transitions.step(copy, ptsMs)) return null
    this.#shot++
    this.#dissolves++
    return 'dissolve'
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

function smallCopy({ columns, rows, means }: BlockGrid): LumaView {
  const width = Math.max(1, Math.floor(columns / COPY_BLOCKS))
  const height = Math.max(1, Math.floor(rows / COPY_BLOCKS))
  const [stepX, stepY] = [columns / width, rows / height]
  const data = new Uint8Array(width * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0
      let count = 0
      for (let row = Math.floor(y * stepY); row < Math.floor((y + 1) * stepY); row++) {
        for (let column = Math.floor(x * stepX); column < Math.floor((x + 1) * stepX); column++) {
          sum += means[row * columns + column]!
          count++
        }
      }
      data[y * width + x] = Math.round(sum / count)
    }
  }
  return { width, height, stride: width, data }
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
