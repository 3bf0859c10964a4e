/**
 * What each mode of keyframe selection stands for, in figures. Pure data. A mode always means the same: only `custom` takes
 * figures from the configuration, and has those of `balanced` where it is silent.
 */
import type { KeyframeMode } from '../core/keyframe.ts'

export interface KeyframeFigures {
  /** Candidates a second of media time; of recordings only, a camera's are its analysed frames. */
  candidateFps: number
  /** Width of the picture that points are followed on, px; of recordings only. */
  width: number
  targetFlowRatio: number
  minOverlapRatio: number
  windowMs: number
  tracks: number
  /** Dense features of every n-th candidate, where a model is installed; `null` asks no model. */
  featuresEvery: number | null
}

/**
 * 0.08 of the diagonal from picture to picture is about a tenth of the width: neighbours share nine tenths, and a point stays for
 * ten pictures of a straight walk. Windows are a third of a second and up: a step of somebody who walks takes half a second, and has
 * one moment at which the camera is nearly still.
 */
const balanced: KeyframeFigures = {
  candidateFps: 10,
  width: 640,
  targetFlowRatio: 0.08,
  minOverlapRatio: 0.5,
  windowMs: 500,
  tracks: 300,
  featuresEvery: null,
}

export const modeFigures: Readonly<Record<KeyframeMode, KeyframeFigures>> = {
  fast: { ...balanced, candidateFps: 5, width: 480, tracks: 200, windowMs: 400 },
  balanced,
  high_quality: {
    ...balanced,
    candidateFps: 15,
    tracks: 500,
    targetFlowRatio: 0.06,
    minOverlapRatio: 0.6,
    featuresEvery: 5,
  },
  custom: { ...balanced, featuresEvery: 5 },
}
