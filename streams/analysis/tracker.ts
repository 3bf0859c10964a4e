/**
 * Faces over frames: one camera's tracks, in PTS order, deterministic. Pure state; no pixels, no I/O.
 * Tracking by detection in the structure of SORT (Bewley et al., ICIP 2016): predict, assign, correct. Motion is a Kalman
 * filter gated by Mahalanobis distance (face-motion.ts), appearance is two hand-made descriptors (appearance.ts), both meet
 * in one cost, the log-likelihood of the pair, and the assignment is that of least total cost (assignment.ts).
 */
import type { FrameInfo } from '../../core/frame.ts'
import type { DetectedFace } from '../../core/observation.ts'
import { type Appearance, blend, difference } from './appearance.ts'
import { assign } from './assignment.ts'
import { correctMotion, type FaceMotion, motionCost, predictMotion, startMotion } from './face-motion.ts'

/** Detections before a track is announced. */
const MIN_HITS = 2
/** … and the media time they span: at 30 frames a second a hand is taken for a face twice in a row (docs/decisions.md). */
const MIN_SPAN_MS = 100
/** A track unseen for this long has ended, ms of media time. */
const MAX_LOST_MS = 1500
/** … and one that was not yet announced ends after this: two missed looks at 5 frames a second. */
const MAX_UNPROVEN_LOST_MS = 450
/** A pair that costs more than this is no pair: the detection begins a track. */
const MAX_COST = 16
/** Looks that differ more than this are two people's, wherever they are. */
const MAX_DIFFERENCE = 1.75
/** Cost of a difference of 1 in looks; it grows with the square. */
const LOOKS_WEIGHT = 4
/** Looks of a track younger than this are doubtful: who comes out from behind something is half a face at first. */
const SETTLED_MS = 300
/** Most that doubtful looks count. */
const DOUBTFUL_DIFFERENCE = 1.2
/** Share of a new look in what a track is remembered to look like … */
const USUAL_SHARE = 0.3
/** … unless it differs more than this: something is in front, or it is the other one at a crossing. */
const UNUSUAL_DIFFERENCE = 0.8
const UNUSUAL_SHARE = 0.05

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
  /** At `last`. */
  motion: FaceMotion
  appearance: Appearance
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

  /** Tracks that have not ended, announced or not. */
  get size(): number {
    return this.#tracks.length
  }

  /** `looks[i]` is what `faces[i]` looks like. */
  step(faces: readonly DetectedFace[], looks: readonly Appearance[], info: FrameInfo): TrackerStep {
    const ended = this.#expire(info.ptsMs)
    const matched = this.#associate(faces, looks, info.ptsMs)
    const seen: Track[] = []
    const started: Track[] = []
    for (const [index, face] of faces.entries()) {
      const track = matched[index]
      if (track) follow(track, face, looks[index]!, info)
      const current = track ?? this.#open(face, looks[index]!, info, index)
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

  /**
   * The track of each face, by index. Announced tracks choose first (DeepSORT's cascade in two steps): a face that comes out
   * from behind something looks strange at first and opens a track, and its own track claims it when it looks itself again.
   */
  #associate(faces: readonly DetectedFace[], looks: readonly Appearance[], nowMs: number): (Track | undefined)[] {
    const matched: (Track | undefined)[] = faces.map(() => undefined)
    for (const announced of [true, false]) {
      const tracks = this.#tracks.filter((track) => track.announced === announced)
      const expected = tracks.map(({ motion, face, last }) => predictMotion(motion, face.box, secondsTo(nowMs, last)))
      const free = faces.flatMap((_, index) => (matched[index] === undefined ? [index] : []))
      const costs = free.map((index) =>
        tracks.map((track, column) => {
          const motion = motionCost(expected[column]!, track.face.box, faces[index]!.box)
          return motion < Number.POSITIVE_INFINITY ? motion + looksCost(track.appearance, looks[index]!) : motion
        }),
      )
      for (const [row, column] of assign(costs, MAX_COST).entries()) {
        if (column !== undefined) matched[free[row]!] = tracks[column]
      }
    }
    return matched
  }

  #open(face: DetectedFace, appearance: Appearance, info: FrameInfo, index: number): Track {
    const id = `${this.#epoch}-${info.seq}-${index}`
    const motion = startMotion(face.box)
    const looks = { ...appearance, doubtful: true }
    const track: Track = { id, first: info, last: info, face, hits: 1, announced: false, motion, appearance: looks }
    this.#tracks.push(track)
    return track
  }

  #expire(nowMs: number): Track[] {
    const ended: Track[] = []
    this.#tracks = this.#tracks.filter((track) => {
      if (nowMs - track.last.ptsMs <= (track.announced ? MAX_LOST_MS : MAX_UNPROVEN_LOST_MS)) return true
      if (track.announced) ended.push(track)
      return false
    })
    return ended
  }
}

function looksCost(memory: Appearance, seen: Appearance): number {
  const d = difference(memory, seen)
  if (seen.doubtful || memory.doubtful) return LOOKS_WEIGHT * Math.min(d, DOUBTFUL_DIFFERENCE) ** 2
  return d > MAX_DIFFERENCE ? Number.POSITIVE_INFINITY : LOOKS_WEIGHT * d * d
}

function isProven({ hits, first, last }: Track): boolean {
  return hits >= MIN_HITS && last.ptsMs - first.ptsMs >= MIN_SPAN_MS
}

function follow(track: Track, face: DetectedFace, look: Appearance, info: FrameInfo): void {
  const expected = predictMotion(track.motion, track.face.box, secondsTo(info.ptsMs, track.last))
  track.motion = correctMotion(expected, face.box)
  track.appearance = remember(track, look, info)
  track.face = face
  track.last = info
  track.hits++
}

function remember({ appearance, first }: Track, look: Appearance, info: FrameInfo): Appearance {
  const settled = info.ptsMs - first.ptsMs >= SETTLED_MS
  if (appearance.doubtful) return settled ? look : { ...look, doubtful: true }
  return look.doubtful ? appearance : blend(appearance, look, share(difference(appearance, look)))
}

function share(d: number): number {
  return d <= UNUSUAL_DIFFERENCE ? USUAL_SHARE : UNUSUAL_SHARE
}

function secondsTo(nowMs: number, { ptsMs }: FrameInfo): number {
  return Math.max(0, nowMs - ptsMs) / 1000
}
