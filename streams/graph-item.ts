/**
 * What travels through the camera graph between its operators, and the services they share. Types and their words only.
 * Session host only.
 * An item owns its frame until an operator lets it go; numbers travel with the frame.
 */
import type { CodedError } from '../core/errors.ts'
import type { EventData, EventType } from '../core/event.ts'
import type { FrameInfo, RgbPicture } from '../core/frame.ts'
import type { Box } from '../core/geometry.ts'
import type { DropKey, SkipPolicy } from '../core/ledger.ts'
import type { FrameMeasures } from '../core/measures.ts'
import type { DetectedFace, EndedTrack, GalleryHit, Sighting } from '../core/observation.ts'
import type { InferenceEngine } from '../core/ports.ts'
import type { LiveBox } from '../core/wire/control.ts'
import type { FacesSpec, SessionSpec } from '../core/wire/session-spec.ts'
import type { Activity } from './activity.ts'
import type { PictureQuality } from './analysis/measures/quality.ts'
import type { SemanticView } from './analysis/saliency.ts'
import type { FrameRef } from './frames/frame-ref.ts'

export interface GraphEvent<T extends EventType = EventType> {
  type: T
  /** Distinguishes this happening within its camera and type (docs/protocol.md, "Identity of events"). */
  key: string
  timeMs: number
  ptsMs: number
  data: EventData<T>
}

/** A frame that the gate let through. */
export interface Gated {
  frame: FrameRef
  /** Share of the picture that moves, 0–1. */
  areaRatio: number
  /** Number of the scene, from 0; it grows at a cut, whichever of its frames come this far. */
  scene: number
  /** Made so far by this frame; emitted with its verdict, so that the log is in PTS order. */
  events: GraphEvent[]
}

export interface Measured extends Gated {
  quality: PictureQuality
}

/** A frame that may become a keyframe, with all of its measures. */
export interface Candidate extends Measured {
  quality: FrameMeasures
}

/** The last look of the model of dense features as of one candidate; `since`: candidates after the one that was looked at. */
export interface FeaturesState {
  semantic: SemanticView | null
  since: number
}

export interface FeaturedCandidate extends Candidate {
  features: FeaturesState
}

export interface Detected extends Measured {
  /** px of the analysis picture, best first. */
  faces: DetectedFace[]
}

/** A track as it was at one frame: a copy, since the tracker goes on. */
export interface TrackView {
  id: string
  /** Fractions of the upright frame. */
  box: Box
  score: number
  /** Best so far. */
  quality: number
  first: FrameInfo
  last: FrameInfo
  bestShot?: string
}

export interface FaceCut {
  trackId: string
  /** Aligned crop for the embedder. */
  crop: RgbPicture
  quality: number
  /** One crop for each liveness model; absent when the face cannot be judged. */
  livenessCrops?: readonly RgbPicture[]
}

/** After tracking the pixels are gone: what is still needed was cut out. */
export interface Tracked {
  info: FrameInfo
  events: GraphEvent[]
  seen: TrackView[]
  started: TrackView[]
  ended: TrackView[]
  cuts: FaceCut[]
}

export interface FaceEvidence {
  trackId: string
  embedding: Float32Array
  quality: number
  /** P(live); absent when it was not judged. */
  live?: number
}

export interface Embedded extends Omit<Tracked, 'cuts'> {
  evidence: FaceEvidence[]
}

/** A frame's verdict is `analysed`; these are its words. */
export interface Seen {
  /** `null` for the words at the end of a pass, which belong to no frame. */
  info: FrameInfo | null
  events: GraphEvent[]
  boxes: LiveBox[]
}

/** Why frames are dropped that a failing graph had not finished. */
export const SESSION_FAILED = 'session.failed' satisfies DropKey

/** What the operators share. Owned by the session. */
export interface GraphServices {
  readonly spec: SessionSpec
  readonly faces: FacesSpec | null
  readonly engine: InferenceEngine
  /** Of the configured rate, under load: 0 < share ≤ 1. */
  readonly share: number
  /** What the stages find is noted here, for the decoder. */
  readonly activity: Activity
  /** The daemon's gallery. */
  match(embedding: Float32Array, k: number): Promise<GalleryHit[]>
  /** The daemon's people without a name: the id of this one, `null` when it cannot be told. */
  remember(sighting: Sighting): Promise<string | null>
  /** Tells the daemon what remains of an ended track. */
  keep(track: EndedTrack): void
  skip(frame: FrameRef, policy: SkipPolicy): void
  /** A frame that is not analysed; releases it. */
  drop(frame: FrameRef, key: DropKey): void
  /**
   * A frame goes into the detector: waits while too many of a camera's frames are between there and their verdict, so that
   * an overload shows before the detector, where the newest wins. The place is given back with the verdict.
   */
  enterTail(info: FrameInfo): Promise<void>
  /** Runs `work` and notes how long it took. */
  time<T>(stage: string, work: () => T): T
  timeAsync<T>(stage: string, work: () => Promise<T>): Promise<T>
  countFaces(n: number): void
  countTracks(n: number): void
  /** Keeps a JPEG; returns its name, or `undefined` when pictures are not kept. */
  keepPicture(stem: string, jpeg: () => Buffer | undefined): string | undefined
  /** Says once a second at most that something is wrong with single items. */
  complain(error: CodedError): void
}

/** The services of a session that looks for faces. */
export type FaceServices = GraphServices & { readonly faces: FacesSpec }
