/**
 * `track`: detections become tracks; the best faces are cut out of the full-resolution frame, which then ends.
 * Synchronous and deterministic. Session host only.
 */
import { map, type OperatorFunction } from 'rxjs'
import { GrabberError } from '../../core/errors.ts'
import {
  type Affine,
  type Box,
  composeAffine,
  invertAffine,
  type Point,
  type Size,
  scaleBox,
} from '../../core/geometry.ts'
import { similarityTransform, templatePoints, warpRgb } from '../../models/align.ts'
import { describeFaces } from '../analysis/appearance.ts'
import { type EmbedHistory, newEmbedHistory, takeEmbedding } from '../analysis/embed-policy.ts'
import { faceQuality } from '../analysis/face-quality.ts'
import { type Track, Tracker } from '../analysis/tracker.ts'
import type { FrameRef } from '../frames/frame-ref.ts'
import type { Detected, FaceCut, FaceServices, Tracked, TrackView } from '../graph-item.ts'
import { livenessCrops } from '../liveness-crops.ts'
import { cutJpeg, cutPatch } from '../media/cutter.ts'

/** A best shot is taken anew when a face is this much better than the last one kept. */
const BETTER_SHOT_FACTOR = 1.2
const BEST_SHOT_SIDE_PX = 320
/** Head and shoulders: the face's box made larger by this factor. */
const BEST_SHOT_MARGIN = 1.8

interface Looks {
  embeds: EmbedHistory
  bestQuality: number
  shotQuality: number
  bestShot?: string
}

/** One pass's tracks and what was cut of each. */
export class FaceTracks {
  readonly #services: FaceServices
  readonly #tracker: Tracker
  readonly #analysis: Size
  #looks = new Map<string, Looks>()
  #scene = 0

  constructor(services: FaceServices, analysis: Size) {
    this.#services = services
    this.#analysis = analysis
    this.#tracker = new Tracker(services.spec.epoch)
  }

  step({ frame, faces, scene, events }: Detected): Tracked {
    const cut = scene === this.#scene ? [] : this.#tracker.cut()
    this.#scene = scene
    const looks = describeFaces(
      frame.yuv,
      faces.map(({ box }) => box),
    )
    const { seen, started, ended } = this.#tracker.step(faces, looks, frame.info)
    this.#services.countTracks(started.length)
    this.#services.activity.tracks = this.#tracker.size
    const cuts: FaceCut[] = []
    for (const track of seen) {
      const cut = this.#examine(track, frame)
      if (cut) cuts.push(cut)
    }
    const views = new Map(seen.map((track) => [track, this.#view(track)]))
    return {
      info: frame.info,
      events,
      seen: [...views.values()],
      started: started.map((track) => views.get(track)!),
      ended: [...cut, ...ended].map((track) => this.#close(track)),
      cuts,
    }
  }

  /** The tracks that the end of the pass cuts off. */
  finish(): TrackView[] {
    return this.#tracker.cut().map((track) => this.#close(track))
  }

  #examine(track: Track, frame: FrameRef): FaceCut | undefined {
    const looks = this.#looks.get(track.id) ?? { embeds: newEmbedHistory(), bestQuality: 0, shotQuality: 0 }
    this.#looks.set(track.id, looks)
    const { full } = frame
    const quality = faceQuality(track.face, full.width / this.#analysis.width)
    looks.bestQuality = Math.max(looks.bestQuality, quality)
    if (quality > BETTER_SHOT_FACTOR * looks.shotQuality) this.#shoot(track, frame, looks, quality)
    if (!takeEmbedding(looks.embeds, quality, frame.info.ptsMs)) return undefined
    const crop = spared(this.#services, () =>
      this.#services.time('crop', () => alignedCrop(frame, track.face.landmarks, this.#analysis, this.#services.faces)),
    )
    if (!crop) return undefined
    const livenessCrops = this.#livenessCrops(track, frame)
    return { trackId: track.id, crop, quality, ...(livenessCrops === undefined ? {} : { livenessCrops }) }
  }

  /** Taken with each embedding: the face that is named is the face that was judged. */
  #livenessCrops(track: Track, { full }: FrameRef) {
    const { liveness } = this.#services.faces
    if (!liveness) return undefined
    const box = scaleBox(track.face.box, full.width / this.#analysis.width, full.height / this.#analysis.height)
    return spared(this.#services, () =>
      this.#services.time('liveness-crop', () => livenessCrops(full, box, liveness.models)),
    )
  }

  #shoot(track: Track, frame: FrameRef, looks: Looks, quality: number): void {
    const box = scaleBox(
      track.face.box,
      frame.full.width / this.#analysis.width,
      frame.full.height / this.#analysis.height,
    )
    const name = this.#services.keepPicture(track.id, () =>
      spared(this.#services, () =>
        this.#services.time('best-shot', () => cutJpeg(frame.full, grow(box, BEST_SHOT_MARGIN), BEST_SHOT_SIDE_PX)),
      ),
    )
    looks.shotQuality = quality
    if (name !== undefined) looks.bestShot = name
  }

  #view(track: Track): TrackView {
    const looks = this.#looks.get(track.id)
    return {
      id: track.id,
      box: scaleBox(track.face.box, 1 / this.#analysis.width, 1 / this.#analysis.height),
      score: track.face.score,
      quality: looks?.bestQuality ?? 0,
      first: track.first,
      last: track.last,
      ...(looks?.bestShot === undefined ? {} : { bestShot: looks.bestShot }),
    }
  }

  #close(track: Track): TrackView {
    const view = this.#view(track)
    this.#looks.delete(track.id)
    return view
  }
}

/**
 * What `work` cuts out of a frame, or `undefined` when this one cannot be cut (DEC_FAILED: a picture that the filters do not
 * take): one crop less, which is complained of, and no reason to end a session.
 */
function spared<T>(services: FaceServices, work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof GrabberError)) throw error
    services.complain(error)
    return undefined
  }
}

/** Owns and releases the frame, also when tracking throws. */
export function track(tracks: FaceTracks, services: FaceServices): OperatorFunction<Detected, Tracked> {
  return map((detected) => {
    using _frame = detected.frame
    return services.time('track', () => tracks.step(detected))
  })
}

/**
 * The face as the embedder wants it, from the full-resolution frame. `landmarks` in px of the analysis picture.
 * The patch is first made smaller by area averaging to at most twice the crop, then warped bilinearly: no aliasing.
 */
export function alignedCrop(
  frame: Pick<FrameRef, 'full'>,
  landmarks: readonly Point[],
  analysis: Size,
  { template, cropPx }: { template: readonly (readonly [number, number])[]; cropPx: number },
) {
  const { full } = frame
  const toCrop = similarityTransform(landmarks, templatePoints(template, cropPx))
  const toAnalysis = toCrop && invertAffine(toCrop)
  if (!toAnalysis) return undefined
  // Pixel centres are at whole coordinates in both pictures; SAR other than 1 makes the two factors differ.
  const sx = full.width / analysis.width
  const sy = full.height / analysis.height
  const analysisToFull: Affine = [sx, 0, (sx - 1) / 2, 0, sy, (sy - 1) / 2]
  const toFull = composeAffine(analysisToFull, toAnalysis)
  const region = boundsOf(toFull, cropPx)
  const patch = cutPatch(full, region, maxPatchSide(toFull, region, cropPx))
  if (!patch) return undefined
  const px = patch.picture.width / patch.region.width
  const py = patch.picture.height / patch.region.height
  const fullToPatch: Affine = [px, 0, -patch.region.x * px + (px - 1) / 2, 0, py, -patch.region.y * py + (py - 1) / 2]
  return warpRgb(patch.picture, composeAffine(fullToPatch, toFull), cropPx)
}

/** Bounding box, in the full frame, of the crop's corners, and two px around for the interpolation. */
function boundsOf(toFull: Affine, cropPx: number): Box {
  const corners = [0, cropPx - 1].flatMap((x) => [0, cropPx - 1].map((y) => ({ x, y })))
  const xs = corners.map((c) => toFull[0] * c.x + toFull[1] * c.y + toFull[2])
  const ys = corners.map((c) => toFull[3] * c.x + toFull[4] * c.y + toFull[5])
  const x = Math.min(...xs) - 2
  const y = Math.min(...ys) - 2
  return { x, y, width: Math.max(...xs) + 2 - x, height: Math.max(...ys) + 2 - y }
}

/** Longer side of the patch at which one crop px is at most one patch px wide, and at least a half. */
function maxPatchSide(toFull: Affine, region: Box, cropPx: number): number {
  const fullPxPerCropPx = Math.sqrt(Math.abs(toFull[0] * toFull[4] - toFull[1] * toFull[3]))
  const side = Math.max(region.width, region.height)
  return fullPxPerCropPx <= 2 ? side : Math.max(cropPx, (2 * side) / fullPxPerCropPx)
}

function grow(box: Box, factor: number): Box {
  const width = box.width * factor
  const height = box.height * factor
  return { x: box.x - (width - box.width) / 2, y: box.y - (height - box.height) / 2, width, height }
}
