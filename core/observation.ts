/**
 * What the analysis sees: faces, tracks, identities. Plain data, no behaviour.
 */
import type { Box, Point } from './geometry.ts'

/** Order of the five landmarks, as seen in the picture: left eye, right eye, nose, left and right mouth corner. */
export type Landmarks = readonly [Point, Point, Point, Point, Point]

export interface DetectedFace {
  /** px of the picture given to the detector, unless the holder says otherwise. */
  box: Box
  /** 0–1. */
  score: number
  landmarks: Landmarks
}

/** How an aligned face crop was captured: what the embedder sees of the face. Names as in ISO/IEC 29794-5 (OFIQ). */
export interface CropQuality {
  /** 0 sharp, 1 blurred; does not move with contrast or brightness (streams/analysis/crop-quality.ts). */
  blur: number
  /** 95th percentile of luma, 0–255: the light on the brightest parts, which every skin has when there is light. */
  highLuma: number
  /** Share of the face at luma 247 or above, 0–1. */
  overexposedRatio: number
}

export type IdentityStatus = 'unknown' | 'candidate' | 'confirmed' | 'corrected'

export interface Identity {
  status: IdentityStatus
  subject?: string
  name?: string
  /** Cosine between the track's template and the subject's nearest embedding. */
  similarity?: number
  /** Similarity minus that of the runner-up subject. */
  margin?: number
  /** Id of a person who has no name: the same over tracks and days. With a subject: who they were before. */
  anonymous?: string
  evidence?: IdentityEvidence
}

/** Ids of people without a name begin with it; those of subjects never do. */
export const ANONYMOUS_PREFIX = 'anon-'

/** A track of nobody who is known, with enough evidence to tell this person again. */
export interface Sighting {
  trackId: string
  /** What the track looks like, L2-normalised. */
  template: Float32Array
  /** First and last detection so far, ms since the epoch. */
  startMs: number
  endMs: number
  /** People without a name who are other faces of the same frame: this is none of them. */
  taken: readonly string[]
}

/** What remains of a track that ended. */
export interface EndedTrack {
  trackId: string
  startMs: number
  endMs: number
  /** Who it was confirmed as; neither when nobody, or when too little was seen. */
  subject?: string
  /** Id of the person without a name. */
  anonymous?: string
  /** One to four, L2-normalised, unlike one another; the first is the track's template. */
  embeddings: Float32Array[]
}

/** What a track's identity rests on. */
export interface IdentityEvidence {
  /** Embeddings pooled in the track's template. */
  embeddings: number
  /** The gallery's answers in a row that name the same subject. */
  agreeing: number
  /** Of the nearest subject, whether or not it is accepted; absent before the first answer and with an empty gallery. */
  similarity?: number
  margin?: number
  /** Id of the second nearest subject, when the nearest one is the identity. */
  runnerUp?: string
}

export type LivenessVerdict = 'unchecked' | 'live' | 'spoof'

/** Whether a face is a person in front of the camera, or a picture of one. */
export interface Liveness {
  verdict: LivenessVerdict
  /** Fused P(live), 0–1; absent before the first look. */
  score?: number
}

/** One subject's nearest embedding to a probe. */
export interface GalleryHit {
  subject: string
  name?: string
  similarity: number
}
