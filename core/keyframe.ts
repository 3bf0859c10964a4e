/**
 * The words of keyframe selection that every floor speaks: what a frame is worth, what was decided about it and why.
 * Plain data.
 */
import type { FrameMeasures } from './measures.ts'
import type { FrameLook } from './shot.ts'

/** How much is looked at and how carefully; `custom` takes each figure from the configuration. */
export const keyframeModes = ['fast', 'balanced', 'high_quality', 'custom'] as const
export type KeyframeMode = (typeof keyframeModes)[number]

/** Parts of saliency ; weights sum to 1. */
export const saliencyParts = ['spatial', 'semantic', 'geometric', 'texture'] as const
export type SaliencyPart = (typeof saliencyParts)[number]

/** Spatial complexity counts most, texture least. */
export const defaultSaliencyWeights: Readonly<Record<SaliencyPart, number>> = {
  spatial: 0.35,
  semantic: 0.25,
  geometric: 0.25,
  texture: 0.15,
}

export interface Saliency {
  /** 0–1. */
  score: number
  /** 0–1 each; a part that nothing could compute (no model) is absent, and the weights of the others are renormalised. */
  parts: Partial<Record<SaliencyPart, number>>
}

/** Parts of a picture's score; weights sum to 1. */
export const qualityParts = [
  'sharpness',
  'motionBlur',
  'exposure',
  'dynamicRange',
  'noise',
  'features',
  'geometry',
] as const
export type QualityPart = (typeof qualityParts)[number]

/** Sharpness and what can be followed decide whether a picture reconstructs; a dim or noisy one still does. */
export const defaultQualityWeights: Readonly<Record<QualityPart, number>> = {
  sharpness: 0.3,
  motionBlur: 0.15,
  exposure: 0.1,
  dynamicRange: 0.1,
  noise: 0.05,
  features: 0.2,
  geometry: 0.1,
}

/** What a picture is worth by itself. */
export interface PictureScore {
  /** Overall quality, 0–1. */
  score: number
  /** By name: the parts of the score, 0–1 each. */
  parts: Readonly<Record<string, number>>
  /** What speaks against taking it at all. */
  faults: readonly PictureFault[]
}

export const pictureFaults = ['blurred', 'motion-blurred', 'dark', 'bright', 'flat', 'noisy', 'featureless'] as const
export type PictureFault = (typeof pictureFaults)[number]

/** Why a frame became a keyframe, or did not. */
export const selectionReasons = {
  // taken
  first: 'The first good picture of a sequence',
  parallax: 'The view has moved far enough since the last keyframe',
  overlap: 'Too little of the last keyframe is still in sight',
  rotation: 'The camera turned on the spot: the view is new, but gives no parallax',
  continuity: 'Tracks would be seen in too few pictures',
  last: 'The last good picture of a sequence that had moved on',
  trigger: 'Somebody outside asked for it',
  // passed over
  still: 'The camera stands still',
  near: 'Too near to the last keyframe',
  weaker: 'Another picture of its window is better',
  blurred: 'Blurred, against its neighbours',
  dark: 'Too dark',
  bright: 'Too bright',
  featureless: 'Too little to hold on to',
  exposure: 'The exposure is jumping',
  duplicate: 'The same picture as one before',
  thinned: 'Taken out afterwards: it adds least (--max-frames, --optimise)',
} as const
export type SelectionReason = keyof typeof selectionReasons

/** How the view has changed since the last keyframe of the sequence. Fractions of the picture's diagonal or of the tracks. */
export interface ViewChange {
  /** Median displacement of the tracks, as a share of the picture's diagonal. */
  flowRatio: number
  /** What of the displacement a homography does not explain: median residual, as a share of the diagonal. */
  parallaxRatio: number
  /** Share of the last keyframe's tracks that are still followed. */
  overlapRatio: number
  /** The better model of the motion by GRIC (Torr 1998): `H` means rotation or a plane, `F` true parallax. */
  model: 'H' | 'F' | 'none'
  /** Tracks that both are judged by. */
  tracks: number
}

/** A candidate frame, decided. */
export interface FrameRecord {
  seq: number
  ptsMs: number
  /** Of the sequence (shot), from 0; grows at a cut. */
  scene: number
  measures: FrameMeasures
  score: PictureScore
  saliency: Saliency
  /** `null` for the first of a sequence. */
  view: ViewChange | null
  chosen: boolean
  reason: SelectionReason
  /** A few words with numbers, for a person. */
  evidence: string
  /** What it adds to its shot (streams/analysis/shots). */
  look?: FrameLook
}

/** A keyframe that was kept. */
export interface KeyframeRecord extends FrameRecord {
  chosen: true
  /** Name in the folder of images. */
  file: string
  width: number
  height: number
  /** SHA-256 of the decoded picture's luma, hex: the same frame of the same recording has the same, however it is encoded. */
  pixelHash: string
  /** Tracks that this picture shares with each earlier keyframe: [seq, count], newest first, at most 16. */
  links: readonly (readonly [seq: number, tracks: number])[]
}
