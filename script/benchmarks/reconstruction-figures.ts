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
  /** Of the camera centres after a robust similarity: root mean square and median, as shares of the path's length; `null` with fewer than three. */
  positionError: number | null
  positionErrorMedian: number | null
}

/** `names` are those of all pictures that COLMAP was given. */
export function figuresOf(names: readonly string[], model: Model, truth: SceneTruth): ReconstructionFigures {
  const pictures = names.map((name) => ({ frame: frameOf(name), centre: model.centres.get(name) }))
  const registered = pictures.filter((picture) => picture.centre !== undefined)
  const onParallax = pictures.filter(({ frame }) => truth.frames[frame]!.label === 'parallax')
  const { points, meanTrackLength, reprojectionErrorPx } = model
  const centres = truth.frames.map(({ rotation, translation }) => centreOf(rotation, translation))
  const from = registered.map(({ centre }) => centre!)
  const to = registered.map(({ frame }) => centres[frame]!)
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
    ...positionErrors(from, to, lengthOf(centres)),
  }
}

/** A picture is named by its frame. */
export const frameOf = (name: string) => Number.parseInt(name, 10)

function positionErrors(from: readonly Point[], to: readonly Point[], length: number) {
  const similarity = robustSimilarity(from, to)
  if (similarity === undefined) return { positionError: null, positionErrorMedian: null }
  const errors = errorsOf(similarity, from, to)
  const rms = Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length)
  return { positionError: rms / length, positionErrorMedian: median(errors) / length }
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
