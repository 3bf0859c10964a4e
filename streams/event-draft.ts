/**
 * Shapes the graph's findings into event data. Pure. Numbers are rounded, so that a log is readable and its bytes do not
 * hang on the last bit of a float.
 */
import type { EventData } from '../core/event.ts'
import type { FrameInfo } from '../core/frame.ts'
import type { FrameRecord } from '../core/keyframe.ts'
import type { Identity, IdentityEvidence, Liveness } from '../core/observation.ts'
import type { PictureQuality } from './analysis/measures/quality.ts'
import type { GraphEvent, TrackView } from './graph-item.ts'

/** Four decimals: 0.2 px of a 1080p frame, 0.0001 of a cosine. */
export function round(value: number): number {
  return Math.round(value * 1e4) / 1e4
}

const clamp01 = (value: number) => Math.min(1, Math.max(0, round(value)))

export interface TrackWord {
  phase: 'new' | 'update' | 'end'
  revision: number
  identity: Identity
  liveness: Liveness
}

export function trackEvent(track: TrackView, word: TrackWord): GraphEvent<'face.track'> {
  const { phase, revision, identity, liveness } = word
  const { seq, ptsMs, width, height, capturedAtMs } = track.last
  const data: EventData<'face.track'> = {
    phase,
    trackId: track.id,
    revision,
    box: {
      x: round(track.box.x),
      y: round(track.box.y),
      width: clamp01(track.box.width),
      height: clamp01(track.box.height),
    },
    frame: { seq, ptsMs: round(ptsMs), width, height },
    score: clamp01(track.score),
    quality: clamp01(track.quality),
    identity: roundIdentity(identity),
    liveness: roundLiveness(liveness),
    ...(track.bestShot === undefined ? {} : { bestShot: track.bestShot }),
    firstSeen: new Date(track.first.capturedAtMs).toISOString(),
    lastSeen: new Date(capturedAtMs).toISOString(),
  }
  return { type: 'face.track', key: `${track.id}/${revision}/${phase}`, timeMs: capturedAtMs, ptsMs, data }
}

function roundIdentity(identity: Identity): Identity {
  return {
    ...identity,
    ...roundMatch(identity),
    ...(identity.evidence === undefined
      ? {}
      : { evidence: { ...identity.evidence, ...roundMatch(identity.evidence) } }),
  }
}

function roundMatch({ similarity, margin }: Pick<IdentityEvidence, 'similarity' | 'margin'>) {
  return {
    ...(similarity === undefined ? {} : { similarity: round(similarity) }),
    ...(margin === undefined ? {} : { margin: round(margin) }),
  }
}

function roundLiveness({ verdict, score }: Liveness): Liveness {
  return score === undefined ? { verdict } : { verdict, score: clamp01(score) }
}

export interface KeyframeWord {
  key: string
  reason: string
  /** Name in the folder of pictures. */
  file: string
}

/** A picture that was kept; its score is the share of pixels that are neither dark nor bright beyond video range. */
export function keyframeEvent(
  { seq, ptsMs, width, height, capturedAtMs }: FrameInfo,
  { laplacianVariance, meanLuma, darkRatio, brightRatio }: PictureQuality,
  { key, reason, file }: KeyframeWord,
): GraphEvent<'keyframe'> {
  const scores = {
    sharpness: round(laplacianVariance),
    meanLuma: round(meanLuma),
    darkRatio: round(darkRatio),
    brightRatio: round(brightRatio),
  }
  const frame = { seq, ptsMs: round(ptsMs), width, height }
  const data = { frame, score: clamp01(1 - darkRatio - brightRatio), scores, reason, file }
  return { type: 'keyframe', key, timeMs: capturedAtMs, ptsMs, data }
}

/** A frame that selection chose, with all that it was chosen by. `epoch` distinguishes playbacks. */
export function selectionEvent(
  { seq, ptsMs, width, height, capturedAtMs }: FrameInfo,
  { measures, score, saliency, view, reason }: FrameRecord,
  file: string | null,
  epoch: string,
): GraphEvent<'keyframe'> {
  const { flowRatio, parallaxRatio, overlapRatio } = view ?? {}
  const known = {
    ...measures,
    ...score.parts,
    ...saliency.parts,
    saliency: saliency.score,
    flowRatio,
    parallaxRatio,
    overlapRatio,
  }
  const scores = Object.entries(known).flatMap(([name, value]) => (value === undefined ? [] : [[name, round(value)]]))
  const data: EventData<'keyframe'> = {
    frame: { seq, ptsMs: round(ptsMs), width, height },
    score: clamp01(score.score),
    scores: Object.fromEntries(scores),
    reason,
    ...(file === null ? {} : { file }),
  }
  return { type: 'keyframe', key: `${epoch}-${seq}/selected`, timeMs: capturedAtMs, ptsMs, data }
}
