/**
 * Whether a camera's I-frames show one and the same picture again and again. Pure state over the prints of one camera, in PTS
 * order. I-frames only: all others may hide behind skipped blocks, however much the sensor's noise changes.
 *
 * A repetition is an I-frame whose picture is exactly that of an earlier one. Noise never makes one: over 183 clips of standing scenes
 * (`script/bench picture`) at most 95.4 % of two pictures' blocks were equal for noise of 0.1 grey levels at QP 44, 88.9 % for 0.5.
 * There are two ways to be frozen:
 *
 * - steady: every I-frame repeats one of the three before it. What a fixed QP, a settled rate control and pictures that are sent
 *   again give.
 * - wandering: the encoder's QP goes up and down, so that the very same picture comes out a little different each time, and
 *   exactly like an earlier time only now and then. Where such returns have no common period they are no loop of a recording.
 */
import { changedRatio, isRepetition, type Likeness, type PicturePrint, sameShape } from './picture-print.ts'

/**
 * Measured on repetitions of an encoder whose QP wanders: the few blocks that a step reaches change their means by 0.03–1.3 and
 * their shapes by 1–14 (from 500 kbit/s on); a digit of a clock changes its blocks by 2.7 and more, and by 21 and more.
 */
const LIKENESS: Likeness = { unequalRatio: 0.02, greyLevels: 1.5, shape: 16 }
/** Something moves: so many blocks change by so many grey levels from one I-frame to the next. What was before is forgotten. */
const MOVED_RATIO = 0.01
const MOVED_GREY_LEVELS = 16
/** Prints that are kept: a minute of I-frames that are a second apart, 1.4 MB. */
const HISTORY = 64
/** I-frames back that a steady repetition may reach: some rate controls take turns between two pictures. */
const NEAR = 3
/** Returns from further back that have no common period, so many. */
const MIN_RETURNS = 5
/** Of the usual distance of I-frames: how exactly a recording's loop keeps its length. */
const LOOP_TOLERANCE = 0.25
/** I-frames in a row that repeat nothing end a steady state: one alone may be a step of the rate control. */
const STEADY_MISSES = 2
/** A wandering state ends when the chance of so many misses is below this, given how many of its I-frames were repetitions; */
const MISS_CHANCE = 0.01
/** and with these at the latest. */
const MOST_MISSES = 20

interface Entry {
  ptsMs: number
  /** Which I-frame of the stream it is, those included that were not decoded. */
  number: number
  print: PicturePrint
  /** I-frames back to the one it repeats; `null` when it repeats none. */
  lag: number | null
  /** When the run of equal I-frames began to which it belongs. */
  runMs: number
  /** Of the first in a run that was seen before: how long before, start to start. */
  returnMs: number | null
}

export type Standstill = 'steady' | 'wandering'

export class Repetition {
  readonly #frozenMs: number
  readonly #history: Entry[] = []
  #number = 0
  /** When the picture was first seen that every I-frame since has shown; `null` while they do not repeat. */
  #steadySinceMs: number | null = null
  #misses = 0
  #standstill: Standstill | null = null

  /** `frozenMs`: how long a picture must stand still. */
  constructor(frozenMs: number) {
    this.#frozenMs = frozenMs
  }

  /** How the picture stands still, since the last I-frame; `null` when it does not. */
  get standstill(): Standstill | null {
    return this.#standstill
  }

  /** For a person. */
  get evidence(): string {
    const known = this.#history.length
    const repeated = this.#history.filter(({ lag }) => lag !== null).length
    const since = this.#steadySinceMs ?? this.#history[0]?.ptsMs ?? 0
    const seconds = Math.round(((this.#history.at(-1)?.ptsMs ?? 0) - since) / 1000)
    if (this.#standstill === 'steady') return `every I-frame of ${seconds} s is the same picture, noise included`
    return `${repeated} of ${known} I-frames of ${seconds} s are exactly an earlier picture, noise included`
  }

  /** `passed` I-frames before it are not known. */
  step(print: PicturePrint, ptsMs: number, passed = 0): void {
    this.#number += 1 + passed
    const last = this.#history.at(-1)
    if (last && (!sameShape(last.print, print) || changedRatio(last.print, print, MOVED_GREY_LEVELS) > MOVED_RATIO)) {
      this.#forget()
    }
    const entry = this.#place(print, ptsMs)
    this.#history.push(entry)
    if (this.#history.length > HISTORY) this.#history.shift()
    this.#judge(entry)
  }

  #forget(): void {
    this.#history.length = 0
    this.#steadySinceMs = null
    this.#standstill = null
    this.#misses = 0
  }

  #place(print: PicturePrint, ptsMs: number): Entry {
    const history = this.#history
    const number = this.#number
    for (const earlier of history.toReversed()) {
      if (!isRepetition(earlier.print, print, LIKENESS)) continue
      const lag = number - earlier.number
      const returnMs = lag > NEAR ? ptsMs - earlier.runMs : null
      if (lag <= NEAR) this.#steadySinceMs ??= earlier.ptsMs
      const runMs = earlier === history.at(-1) ? earlier.runMs : ptsMs
      return { ptsMs, number, print, lag, runMs, returnMs }
    }
    return { ptsMs, number, print, lag: null, runMs: ptsMs, returnMs: null }
  }

  #judge({ lag, ptsMs }: Entry): void {
    if (lag === null || lag > NEAR) this.#steadySinceMs = null
    if (lag === null) {
      if (this.#standstill && ++this.#misses >= this.#bearable()) this.#forget()
      return
    }
    this.#misses = 0
    if (this.#steadySinceMs !== null && ptsMs - this.#steadySinceMs >= this.#frozenMs) this.#standstill = 'steady'
    else if (ptsMs - this.#history[0]!.ptsMs >= this.#frozenMs && this.#wanders()) this.#standstill = 'wandering'
  }

  /** I-frames in a row without a repetition that do not yet mean that the picture lives. */
  #bearable(): number {
    if (this.#standstill === 'steady') return STEADY_MISSES
    const repeated = this.#history.filter(({ lag }) => lag !== null).length / this.#history.length
    return Math.min(MOST_MISSES, Math.ceil(Math.log(MISS_CHANCE) / Math.log(1 - repeated)))
  }

  /** Whether pictures return from further back, at times that no loop would give. */
  #wanders(): boolean {
    const returns = this.#history.flatMap(({ returnMs }) => returnMs ?? [])
    if (returns.length < MIN_RETURNS) return false
    const [first, last] = [this.#history[0]!, this.#history.at(-1)!]
    const usualMs = (last.ptsMs - first.ptsMs) / (last.number - first.number)
    return !haveCommonPeriod(returns, (NEAR - 0.5) * usualMs, LOOP_TOLERANCE * usualMs)
  }
}

/** Whether all `spansMs` are multiples of one period of at least `leastMs`, each to within `toleranceMs`. */
function haveCommonPeriod(spansMs: readonly number[], leastMs: number, toleranceMs: number): boolean {
  const shortest = Math.min(...spansMs)
  for (let parts = 1; shortest / parts >= leastMs; parts++) {
    const period = shortest / parts
    if (spansMs.every((span) => Math.abs(span - period * Math.round(span / period)) <= toleranceMs)) return true
  }
  return false
}
