/**
 * What a reconstruction is worth against the truth of its scene. Pure.
 */
import type { SceneTruth } from '../../test/support/scenes/scene-clips.ts'
import type { Model } from './colmap.ts'
import { centreOf, errorsOf, median, type Point, robustSimilarity } from './similarity.ts'

/** A frame counts as covered when a picture of the model was taken within this time of it. */
const COVERED_WITHIN_MS = 1000

export interface ReconstructionFigures {
  pictures: number
  /** Of these, on stretches that have parallax. */
  parallaxPictures: number
  /** Registered in the largest model: of the pictures on stretches that have parallax, and of all. */
  registeredShare: number
  registeredShareAll: number
  /** Of the clip's frames on stretches that have parallax, those with a registered picture within a second: what choosing easy pictures alone would lose. */
  coveredShare: number
  points: number
  meanTrackLength: number
  reprojectionErrorPx: number
  /**
   * Of the camera's centre at every frame on these stretches, after a robust similarity to the truth: root mean square, as a share of
   * the whole way. Between registered pictures the camera is taken to go straight, beyond them to stay: the same frames whatever was
   * chosen, so that a part that is missing counts. `null` with fewer than three registered pictures there.
   */
  positionError: number | null
  /**
   * Of the registered pictures alone on these stretches: root mean square and median, as shares of the way from the first to the last of
   * them. A model of a part has an easier time.
   */
  registeredPositionError: number | null
  registeredPositionErrorMedian: number | null
}

/** `names` are those of all pictures that COLMAP was given. */
export function figuresOf(names: readonly string[], model: Model, truth: SceneTruth): ReconstructionFigures {
  const pictures = names.map((name) => ({ frame: frameOf(name), centre: model.centres.get(name) }))
  const registered = pictures.filter((picture) => picture.centre !== undefined)
  const onParallax = pictures.filter(({ frame }) => truth.frames[frame]!.label === 'parallax')
  const { points, meanTrackLength, reprojectionErrorPx } = model
  return {
    pictures: pictures.length,
    parallaxPictures: onParallax.length,
    registeredShare: share(onParallax, ({ centre }) => centre !== undefined),
    registeredShareAll: share(pictures, ({ centre }) => centre !== undefined),
    coveredShare: covered(
      registered.map(({ frame }) => frame),
      truth,
    ),
    points,
    meanTrackLength,
    reprojectionErrorPx,
    ...positionErrors(
      onParallax.flatMap(({ frame, centre }) => (centre ? [{ frame, centre }] : [])),
      truth,
    ),
  }
}

/** A picture is named by its frame. */
export const frameOf = (name: string) => Number.parseInt(name, 10)

interface Placed {
  frame: number
  centre: Point
}

/** `placed` in order of frames. */
function positionErrors(placed: readonly Placed[], truth: SceneTruth) {
  const way = truth.frames.map(({ rotation, translation }) => centreOf(rotation, translation))
  const from = placed.map(({ centre }) => centre)
  const to = placed.map(({ frame }) => way[frame]!)
  const similarity = robustSimilarity(from, to)
  if (similarity === undefined) {
    return { positionError: null, registeredPositionError: null, registeredPositionErrorMedian: null }
  }
  const errors = errorsOf(similarity, from, to)
  const spanned = lengthOf(way.slice(placed[0]!.frame, placed.at(-1)!.frame + 1))
  const frames = way.map((_, index) => index).filter((index) => truth.frames[index]!.label === 'parallax')
  const between = frames.map((frame) => interpolated(placed, frame))
  const ofAll = errorsOf(
    similarity,
    between,
    frames.map((frame) => way[frame]!),
  )
  return {
    positionError: rootMeanSquare(ofAll) / lengthOf(way),
    registeredPositionError: rootMeanSquare(errors) / spanned,
    registeredPositionErrorMedian: median(errors) / spanned,
  }
}

function interpolated(placed: readonly Placed[], frame: number): Point {
  const next = placed.findIndex((picture) => picture.frame >= frame)
  const after = placed.at(next)!
  const before = placed[Math.max(0, next === -1 ? placed.length - 1 : next - 1)]!
  if (after.frame === before.frame) return after.centre
  const share = Math.min(1, Math.max(0, (frame - before.frame) / (after.frame - before.frame)))
  const axis = (i: 0 | 1 | 2) => before.centre[i] + share * (after.centre[i] - before.centre[i])
  return [axis(0), axis(1), axis(2)]
}

function rootMeanSquare(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length)
}

function covered(frames: readonly number[], truth: SceneTruth): number {
  const reach = (COVERED_WITHIN_MS * truth.fps) / 1000
  const wanted = truth.frames.map((_, index) => index).filter((index) => truth.frames[index]!.label === 'parallax')
  return share(wanted, (index) => frames.some((frame) => Math.abs(frame - index) <= reach))
}

function lengthOf(centres: readonly Point[]): number {
  let length = 0
  for (let i = 1; i < centres.length; i++)
    length += Math.hypot(...centres[i]!.map((value, axis) => value - centres[i - 1]![axis]!))
  return length
}

/** 0 of none. */
function share<T>(items: readonly T[], holds: (item: T) => boolean): number {
  return items.length === 0 ? 0 : items.filter(holds).length / items.length
}
