/**
 * Whether a camera's picture is a healthy one: not black, and not frozen. Pure state over one camera's analysis pictures, in PTS
 * order. Must never call a healthy camera frozen; a frozen one whose encoder hides it may be called so late, or not at all.
 *
 * Frozen is judged by I-frames alone (repetition). What is not frozen: a static scene with noise, a scene coded as skipped
 * blocks, and a standing picture with a running clock in it, which lives as far as can be seen. A camera that sends no
 * I-frames after its first (intra refresh, one single group of pictures) is never called frozen.
 */
import type { LumaView } from '../../core/frame.ts'
import type { PictureHealth } from '../../core/wire/control.ts'
import { blockMeans } from './difference.ts'
import { printOf } from './picture-print.ts'
import { Repetition, type Standstill } from './repetition.ts'

/**
 * Black in video range is 16. A covered lens stays below this even with strong noise, which lifts the mean a little where it is
 * cut off at black; the darkest blue of a "no signal" picture is 24, a night scene that can be read is above it somewhere.
 */
const BLACK_GREY_LEVEL = 22
/** Spread of the blocks' means: a scene that is that dark and still has structure is not black. */
const BLACK_SPREAD = 4
/** Of the blocks, at either end, that do not count: a line of text in the picture. */
const IGNORED_RATIO = 0.02
/** I-frames that are closer are passed over: of Motion JPEG every picture is one. A tenth less than a second, for jitter. */
export const KEY_STEP_MS = 900

export interface PictureHealthLimits {
  /** A picture in which nothing changes, not even noise, for this long is frozen, ms. */
  frozenMs: number
  /** A picture without light for this long is black, ms. */
  blackMs: number
}

export interface PictureMoment {
  ptsMs: number
  key: boolean
  passedKeys?: number
}

export interface PictureFinding {
  health: PictureHealth
  /** For a person. */
  evidence: string
}

export class PictureHealthModel {
  readonly #blackMs: number
  readonly #repetition: Repetition
  #health: PictureHealth = 'good'
  #darkSinceMs: number | null = null
  #lastKeyMs = Number.NEGATIVE_INFINITY

  constructor({ frozenMs, blackMs }: PictureHealthLimits) {
    this.#blackMs = blackMs
    this.#repetition = new Repetition(frozenMs)
  }

  /**
   * The analysis picture (video range) of an I-frame (`key`), or of any other; `passedKeys` I-frames before it were not decoded. A
   * finding when the health has changed.
   */
  step(luma: LumaView, { ptsMs, key, passedKeys = 0 }: PictureMoment): PictureFinding | undefined {
    if (key && ptsMs - this.#lastKeyMs >= KEY_STEP_MS) {
      this.#lastKeyMs = ptsMs
      this.#repetition.step(printOf(luma), ptsMs, passedKeys)
    }
    if (isDark(luma)) this.#darkSinceMs ??= ptsMs
    else this.#darkSinceMs = null
    const darkMs = this.#darkSinceMs === null ? 0 : ptsMs - this.#darkSinceMs
    return this.#tell(darkMs, this.#repetition.standstill)
  }

  #tell(darkMs: number, standstill: Standstill | null): PictureFinding | undefined {
    const before = this.#health
    const black = darkMs >= this.#blackMs && this.#darkSinceMs !== null
    this.#health = black ? 'black' : standstill ? 'frozen' : 'good'
    if (this.#health === before) return undefined
    if (black) {
      const seconds = Math.round(darkMs / 1000)
      return { health: 'black', evidence: `nothing brighter than grey level ${BLACK_GREY_LEVEL} for ${seconds} s` }
    }
    if (standstill) return { health: 'frozen', evidence: this.#repetition.evidence }
    return { health: 'good', evidence: before === 'black' ? 'there is light again' : 'the picture changes again' }
  }
}

/** No light: the brightest blocks are at black, and there is nothing to be seen in them. */
function isDark(luma: LumaView): boolean {
  const means = blockMeans(luma).means.sort()
  if (means.length === 0) return false
  const ignored = Math.floor(IGNORED_RATIO * means.length)
  const brightest = means[means.length - 1 - ignored]!
  return brightest <= BLACK_GREY_LEVEL && brightest - means[ignored]! <= BLACK_SPREAD
}
