/**
 * Faces over frames: one camera's tracks, in PTS order, deterministic. Pure state; no pixels, no I/O.
 * Tracking by detection with a constant-velocity prediction and greedy association by DIoU (Zheng et al., AAAI 2020),
 * the structure of SORT (Bewley et al., ICIP 2016) without its covariance: at 5 frames a second and with a detector that
 * misses little, the noise model has nothing to add (docs/decisions.md).
 */

import type { FrameInfo } from '../../core/frame.ts'
import { type Box, iou } from '../../core/geometry.ts'
import type { DetectedFace } from '../../core/observation.ts'

/** Detections before a track is announced. */
const MIN_HITS = 2
/** … and the media time they span: at 30 frames a second a hand is taken for a face twice in a row (docs/decisions.md). */
const MIN_SPAN_MS = 100
/** A track unseen for this long has ended, ms of media time. */
const MAX_LOST_MS = 1500
/** Lowest DIoU of a match: two boxes of one size that are 1.3 widths apart have −0.27. */
const MIN_DIOU = -0.27
/** A face does not change its area more than this between two looks. */
const MAX_AREA_RATIO = 3

export interface Track {
  /** `<epoch>-<seq of the first frame>-<index>`: the same in every replay of the recording. */
  readonly id: string
  readonly first: FrameInfo
  last: FrameInfo
  /** Of the last detection, in the detector's px. */
  face: DetectedFace
  hits: number
  /** It was seen often and long enough to be told of. */
  announced: boolean
  /** px per ms of the box's centre. */
  velocity: { x: number; y: number }
}

export interface TrackerStep {
  /** Announced tracks that were seen in this frame. */
  seen: Track[]
  /** Subset of `seen` that was announced in this frame. */
  started: Track[]
  ended: Track[]
}

export class Tracker {
  readonly #epoch: string
  #tracks: Track[] = []

  constructor(epoch: string) {
    this.#epoch = epoch
  }

  step(faces: readonly DetectedFace[], info: FrameInfo): TrackerStep {
    const ended = this.#expire(info.ptsMs)
    const matched = associate(this.#tracks, faces, info.ptsMs)
    const seen: Track[] = []
    const started: Track[] = []
    for (const [index, face] of faces.entries()) {
      const track = matched.get(index)
      if (track) follow(track, face, info)
      const current = track ?? this.#open(face, info, index)
      if (!current.announced && isProven(current)) {
        current.announced = true
        started.push(current)
      }
      if (current.announced) seen.push(current)
    }
    return { seen, started, ended }
  }

  /** Ends every track: a cut, the end of a pass, the end of the input. */
  cut(): Track[] {
    return this.#tracks.splice(0).filter((track) => track.announced)
  }

  #open(face: DetectedFace, info: FrameInfo, index: number): Track {
    const id = `${this.#epoch}-${info.seq}-${index}`
    const track: Track = { id, first: info, last: info, face, hits: 1, announced: false, velocity: { x: 0, y: 0 } }
    this.#tracks.push(track)
    return track
  }

  #expire(nowMs: number): Track[] {
    const ended: Track[] = []
    this.#tracks = this.#tracks.filter((track) => {
      if (nowMs - track.last.ptsMs <= MAX_LOST_MS) return true
      if (track.announced) ended.push(track)
      return false
    })
    return ended
  }
}

function associate(tracks: readonly Track[], faces: readonly DetectedFace[], nowMs: number): Map<number, Track> {
  const pairs: { track: Track; face: number; score: number }[] = []
  for (const track of tracks) {
    const predicted = predict(track, nowMs)
    for (const [face, { box }] of faces.entries()) {
      const score = diou(predicted, box)
      if (score >= MIN_DIOU && areaRatio(predicted, box) <= MAX_AREA_RATIO) pairs.push({ track, face, score })
    }
  }
  // The sort is stable: equal scores keep the order of tracks and faces, so that replays agree.
  pairs.sort((a, b) => b.score - a.score)
  const matched = new Map<number, Track>()
  const taken = new Set<Track>()
  for (const { track, face } of pairs) {
    if (matched.has(face) || taken.has(track)) continue
    matched.set(face, track)
    taken.add(track)
  }
  return matched
}

function isProven({ hits, first, last }: Track): boolean {
  return hits >= MIN_HITS && last.ptsMs - first.ptsMs >= MIN_SPAN_MS
}

function follow(track: Track, face: DetectedFace, info: FrameInfo): void {
  const dt = info.ptsMs - track.last.ptsMs
  if (dt > 0) {
    const from = centre(track.face.box)
    const to = centre(face.box)
    // Half old, half new: one jittery box does not throw the prediction.
    track.velocity = {
      x: 0.5 * track.velocity.x + (0.5 * (to.x - from.x)) / dt,
      y: 0.5 * track.velocity.y + (0.5 * (to.y - from.y)) / dt,
    }
  }
  track.face = face
  track.last = info
  track.hits++
}

function predict(track: Track, nowMs: number): Box {
  const dt = nowMs - track.last.ptsMs
  const { box } = track.face
  return { ...box, x: box.x + track.velocity.x * dt, y: box.y + track.velocity.y * dt }
}

const centre = (box: Box) => ({ x: box.x + box.width / 2, y: box.y + box.height / 2 })

/** IoU minus the squared distance of the centres over the squared diagonal of the enclosing box; −1 … 1. */
function diou(a: Box, b: Box): number {
  const ca = centre(a)
  const cb = centre(b)
  const w = Math.max(a.x + a.width, b.x + b.width) - Math.min(a.x, b.x)
  const h = Math.max(a.y + a.height, b.y + b.height) - Math.min(a.y, b.y)
  return iou(a, b) - ((ca.x - cb.x) ** 2 + (ca.y - cb.y) ** 2) / (w * w + h * h)
}

function areaRatio(a: Box, b: Box): number {
  const ratio = (a.width * a.height) / (b.width * b.height)
  return Math.max(ratio, 1 / ratio)
}
