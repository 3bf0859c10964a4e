/**
 * Follows points from candidate to candidate: corners on a grid, pyramidal Lucas-Kanade from a coarse shift, and what the
 * points tell of the picture (how far it moved, whether it is sharp, whether the light jumped). Pure state of fixed size:
 * two small pictures and one table.
 * It looks first (`look`), and its owner decides whether what it saw becomes the new state (`accept`): a picture in which
 * nothing is found may be a flash, a hand before the lens or a cut.
 */
import type { LumaView } from '../../../core/frame.ts'
import type { Size } from '../../../core/geometry.ts'
import type { StepMotion } from '../../../core/shot.ts'
import { stepMotion } from '../shots/step-motion.ts'
import { type CoarseShift, coarseShift } from './coarse-shift.ts'
import { type CornerGrid, cornerGrid, findCorners } from './corners.ts'
import { type Flow, followPoints } from './lucas-kanade.ts'
import { median } from './median.ts'
import { createPyramid, fillPyramid, type Pyramid } from './pyramid.ts'
import { type TrackRows, TrackTable } from './track-table.ts'

/**
 * While the points are within this of where they are believed to be, px, the camera stands still and points are not moved: the
 * error of each step would add up to a walk of many px in a night.
 */
const STILL_PX = 0.5
/** The picture that still ones are compared with is renewed after as many: clouds and the sun go on. */
const MAX_STILL_LOOKS = 32
/** A point not found so often while the camera stands still is gone, and not just behind somebody who passes. */
const MAX_MISSES = 3
/** Fewer points than this, or than this share of them, found again: nothing of the picture before is left. */
const FOUND = { count: 8, share: 0.15 }
/** Half a side of the patch whose contrast and light are measured, px. */
const PATCH_RADIUS = 4
/** Contrast is taken relative to the light, so that a gain cancels; of black levels this much is added. */
const BLACK_LEVEL = 16
/** The envelope of contrast: up at once by half, down with this time constant, ms. */
const ENVELOPE_RISE = 0.5
const ENVELOPE_FALL_MS = 1500

/** Of one candidate against the picture before it. */
export interface Look {
  /** Points that were followed, and share of them found again. */
  tracks: number
  foundRatio: number
  /** Median displacement of the points found, px. */
  stepPx: number
  shift: CoarseShift
  /** Contrast of the points against what they had when sharpest: 1 sharp, 0.5 blurred. 1 when there are too few to tell. */
  sharpness: number
  /** How many points tell that. */
  sharpnessTracks: number
  /** Median change of light at the points, as a ratio: 1 is none. */
  lightRatio: number
  still: boolean
  /** Mean absolute difference of the two pictures at a quarter of their size, grey levels: below 0.2 the same picture. */
  difference: number
  /** Since the look before; `null` where too few points were found again. */
  motion: StepMotion | null
}

export interface TrackerState {
  tracks: TrackRows
  filledCount: number
}

export class FeatureTracker {
  readonly tracks: TrackTable
  readonly #size: Size
  readonly #grid: CornerGrid
  readonly #occupied: Uint8Array
  readonly #flow: Flow
  readonly #contrast: Float64Array
  readonly #light: Float64Array
  readonly #scratch: Float64Array
  #before: Pyramid
  #now: Pyramid
  #beforePtsMs = 0
  #hasBefore = false
  #stillLooks = 0
  #filledCount = 0
  /** Of the last picture that was accepted, still ones included, and where it stood against the one that is compared with. */
  #lastPtsMs = 0
  #drift = { dx: 0, dy: 0 }

  constructor(size: Size, points: number) {
    this.#size = size
    this.#grid = cornerGrid(size.width, size.height, points)
    // A point may wander into a neighbour's cell, and its own is filled again.
    const capacity = Math.ceil(this.#grid.columns * this.#grid.rows * 1.5)
    this.tracks = new TrackTable(capacity)
    this.#occupied = new Uint8Array(this.#grid.columns * this.#grid.rows)
    this.#flow = { x: new Float64Array(capacity), y: new Float64Array(capacity), ok: new Uint8Array(capacity) }
    this.#contrast = new Float64Array(capacity)
    this.#light = new Float64Array(capacity)
    this.#scratch = new Float64Array(capacity)
    this.#before = createPyramid(size)
    this.#now = createPyramid(size)
  }

  get hasPicture(): boolean {
    return this.#hasBefore
  }

  /** True when the picture that the next one is compared with is the last one accepted. */
  get isAtLastPicture(): boolean {
    return this.#stillLooks === 0
  }

  /** PTS of the picture that the motion of the next look is counted from. */
  get lastPtsMs(): number {
    return this.#lastPtsMs
  }

  /** Begins anew with this picture. */
  restart(luma: LumaView, ptsMs: number): void {
    this.tracks.clear()
    this.#lastPtsMs = ptsMs
    this.#drift = { dx: 0, dy: 0 }
    fillPyramid(this.#before, luma)
    this.#hasBefore = true
    this.#beforePtsMs = ptsMs
    this.#stillLooks = 0
    this.#fill()
  }

  /** Forgets the picture and the points. */
  forget(): void {
    this.tracks.clear()
    this.#hasBefore = false
    this.#stillLooks = 0
  }

  /** Compares `luma` with the picture before; changes nothing that another `look` would see. Needs a picture before. */
  look(luma: LumaView): Look {
    const { tracks } = this
    fillPyramid(this.#now, luma)
    const coarsest = this.#before.levels.length - 1
    const shift = coarseShift(this.#before.levels[coarsest]!, this.#now.levels[coarsest]!)
    const guess = { dx: shift.dx * (1 << coarsest), dy: shift.dy * (1 << coarsest) }
    followPoints(this.#before, this.#now, tracks.x, tracks.y, tracks.count, guess, this.#flow)
    let found = 0
    for (let i = 0; i < tracks.count; i++) {
      if (this.#flow.ok[i] === 0) continue
      this.#scratch[found++] = Math.hypot(this.#flow.x[i]! - tracks.x[i]!, this.#flow.y[i]! - tracks.y[i]!)
    }
    const stepPx = median(this.#scratch, found)
    return {
      tracks: tracks.count,
      foundRatio: tracks.count === 0 ? 0 : found / tracks.count,
      stepPx,
      shift,
      ...this.#appearance(),
      still: tracks.count > 0 && found >= tracks.count / 2 && stepPx < STILL_PX,
      difference: difference(this.#before, this.#now),
      motion: this.#motion(),
    }
  }

  /** What was looked at last is the state from now on. */
  accept(look: Look, ptsMs: number): void {
    const { tracks } = this
    this.#lastPtsMs = ptsMs
    const flow = this.#flow
    const fall = 1 - Math.exp(-Math.max(0, ptsMs - this.#beforePtsMs) / ENVELOPE_FALL_MS)
    if (look.still && this.#stillLooks < MAX_STILL_LOOKS) {
      this.#stillLooks++
      if (look.motion) this.#drift = add(this.#drift, look.motion)
      return
    }
    this.#drift = { dx: 0, dy: 0 }
    for (let i = 0; i < tracks.count; i++) {
      if (flow.ok[i] === 0) {
        tracks.misses[i] = look.still ? tracks.misses[i]! + 1 : MAX_MISSES
        continue
      }
      tracks.misses[i] = 0
      tracks.x[i] = flow.x[i]!
      tracks.y[i] = flow.y[i]!
      tracks.light[i] = this.#light[i]!
      const contrast = this.#contrast[i]!
      const before = tracks.contrast[i]!
      tracks.contrast[i] = before + (contrast - before) * (contrast > before ? ENVELOPE_RISE : fall)
    }
    tracks.retain((i) => tracks.misses[i]! < MAX_MISSES)
    const looked = this.#now
    this.#now = this.#before
    this.#before = looked
    this.#beforePtsMs = ptsMs
    this.#stillLooks = 0
  }

  /**
   * New points where there are none, once less than `share` of the last filling are left. Not to be asked for in a blurred
   * picture: what is blurred is not worth following.
   */
  refill(share: number): void {
    if (this.tracks.count < share * this.#filledCount) this.#fill()
  }

  #fill(): void {
    const { tracks } = this
    const { cellPx, columns } = this.#grid
    this.#occupied.fill(0)
    for (let i = 0; i < tracks.count; i++) {
      const cell = Math.floor(tracks.y[i]! / cellPx) * columns + Math.floor(tracks.x[i]! / cellPx)
      this.#occupied[cell] = 1
    }
    const first = tracks.count
    const picture = this.#before.levels[0]!
    findCorners(picture, this.#grid, this.#occupied, (x, y) => tracks.add(x, y))
    for (let i = first; i < tracks.count; i++) {
      tracks.contrast[i] = contrastAt(picture, tracks.x[i]!, tracks.y[i]!)
      tracks.light[i] = patchMean
    }
    this.#filledCount = tracks.count
  }

  save(): TrackerState {
    return { tracks: this.tracks.save(), filledCount: this.#filledCount }
  }

  /** `luma` is of the frame after which the state was saved. */
  load(state: TrackerState, luma: LumaView, ptsMs: number): void {
    this.restart(luma, ptsMs)
    this.tracks.load(state.tracks)
    this.#filledCount = state.filledCount
  }

  #motion(): StepMotion | null {
    const motion = stepMotion(this.tracks, this.#flow, this.#size)
    const { dx, dy } = this.#drift
    if (!motion || (dx === 0 && dy === 0)) return motion
    const since = { dx: motion.dx - dx, dy: motion.dy - dy }
    return { ...motion, ...since, flow: Math.hypot(since.dx, since.dy) }
  }

  #appearance(): Pick<Look, 'sharpness' | 'sharpnessTracks' | 'lightRatio'> {
    const { tracks } = this
    const picture = this.#now.levels[0]!
    const lights = this.#scratch
    let count = 0
    for (let i = 0; i < tracks.count; i++) {
      if (this.#flow.ok[i] === 0) continue
      this.#contrast[i] = contrastAt(picture, this.#flow.x[i]!, this.#flow.y[i]!)
      this.#light[i] = patchMean
      lights[count++] = (patchMean + BLACK_LEVEL) / (tracks.light[i]! + BLACK_LEVEL)
    }
    const lightRatio = count === 0 ? 1 : median(lights, count)
    const ratios = this.#scratch
    let told = 0
    for (let i = 0; i < tracks.count; i++) {
      if (this.#flow.ok[i] === 1) ratios[told++] = this.#contrast[i]! / tracks.contrast[i]!
    }
    return { lightRatio, sharpness: told === 0 ? 1 : Math.sqrt(median(ratios, told)), sharpnessTracks: told }
  }
}

/** Nothing of the picture before is left. */
export function isLost({ tracks, foundRatio }: Look): boolean {
  return tracks * foundRatio < Math.max(FOUND.count, FOUND.share * tracks)
}

const add = (a: { dx: number; dy: number }, b: { dx: number; dy: number }) => ({ dx: a.dx + b.dx, dy: a.dy + b.dy })

/** At a quarter, where the noise of the sensor has been averaged away and what a codec changes has not. */
function difference(before: Pyramid, now: Pyramid): number {
  const level = Math.min(2, before.levels.length - 1)
  const a = before.levels[level]!.data
  const b = now.levels[level]!.data
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!)
  return sum / a.length
}

let patchMean = 0

/** Mean squared gradient around (x, y), divided by the light squared; leaves the mean in `patchMean`. */
function contrastAt({ data, width, height, stride }: LumaView, x: number, y: number): number {
  const column = Math.max(PATCH_RADIUS + 1, Math.min(width - PATCH_RADIUS - 2, Math.round(x)))
  const row = Math.max(PATCH_RADIUS + 1, Math.min(height - PATCH_RADIUS - 2, Math.round(y)))
  let energy = 0
  let sum = 0
  for (let dy = -PATCH_RADIUS; dy <= PATCH_RADIUS; dy++) {
    let at = (row + dy) * stride + column - PATCH_RADIUS
    for (let dx = -PATCH_RADIUS; dx <= PATCH_RADIUS; dx++, at++) {
      const gx = data[at + 1]! - data[at - 1]!
      const gy = data[at + stride]! - data[at - stride]!
      energy += gx * gx + gy * gy
      sum += data[at]!
    }
  }
  const area = (2 * PATCH_RADIUS + 1) ** 2
  patchMean = sum / area
  return energy / area / (patchMean + BLACK_LEVEL) ** 2
}
