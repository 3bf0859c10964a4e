/**
 * The one data path: what happens to every frame of every camera and every recording, in reading order.
 * A graph serves one pass over its source and holds all state of that pass; the next pass gets a new one, so that
 * between two passes there is no state and a replacement host can start there. Session host only.
 */
import { concatWith, defer, identity, map, type Observable, type OperatorFunction, of, pipe } from 'rxjs'
import type { Size } from '../core/geometry.ts'
import type { FrameRef } from './frames/frame-ref.ts'
import type { FaceServices, Gated, GraphServices, Measured, Seen } from './graph-item.ts'
import type { KeyframeBranch } from './keyframe-branch.ts'
import { denseFeatures } from './operators/dense-features.ts'
import { detect } from './operators/detect.ts'
import { embed } from './operators/embed.ts'
import { Identities, identify } from './operators/identify.ts'
import { MotionGate, motionGate } from './operators/motion-gate.ts'
import { measureCandidates, qualityGate } from './operators/quality-gate.ts'
import { sampleFps } from './operators/sample-fps.ts'
import { lastKeyframes, selectKeyframes } from './operators/select-keyframes.ts'
import { FaceTracks, track } from './operators/track.ts'

export interface GraphLimits {
  /** Frames that may wait for the detector, and as many for each stage of selection. */
  detectQueue: number
  /** Frames between detector and verdict. */
  tailQueue: number
}

/** Where keyframes are selected. */
export interface Selection {
  branch: KeyframeBranch
  /** PTS of the candidate after which selection goes on; `null` begins with the first one. */
  afterMs: number | null
  /** The end of the frames is an end of what they show. */
  concludes(): boolean
}

export function cameraGraph(
  frames: Observable<FrameRef>,
  services: GraphServices,
  analysis: Size,
  limits: GraphLimits,
  selection: Selection | null = null,
): Observable<Seen> {
  const { fps } = services.spec.analysis
  const afterMs = selection?.afterMs ?? null
  const share = () => services.share
  const sampled = frames.pipe(sampleFps({ fps, share, afterMs, onSkip: (frame) => services.skip(frame, 'rate') }))
  if (selection && isExtraction(services.spec)) {
    return sampled.pipe(
      map((frame) => ({ frame, areaRatio: 0, scene: 0, events: [] })),
      keyframeBranch(selection, services, limits),
      withoutFaces,
      concatWith(lastKeyframes(selection)),
    )
  }
  const gate = new MotionGate(services)
  return sampled.pipe(
    motionGate(gate, services),
    selection ? keyframeBranch(selection, services, limits) : qualityGate(services),
    hasFaces(services) ? faceBranch(services, analysis, limits) : withoutFaces,
    concatWith(defer(() => of({ info: null, events: gate.finish(), boxes: [] }))),
    selection ? concatWith(lastKeyframes(selection)) : identity,
  )
}

/** Every frame goes through; what was decided by then goes along. */
function keyframeBranch(
  { branch }: Selection,
  services: GraphServices,
  { detectQueue: queue }: GraphLimits,
): OperatorFunction<Gated, Measured> {
  return pipe(
    measureCandidates(branch),
    denseFeatures(services, branch.spec.features, () => branch.features, queue),
    selectKeyframes(branch, services, queue),
  )
}

function faceBranch(services: FaceServices, analysis: Size, limits: GraphLimits): OperatorFunction<Measured, Seen> {
  const tracks = new FaceTracks(services, analysis)
  const identities = new Identities(services)
  return pipe(
    detect(services, limits.detectQueue),
    track(tracks, services),
    embed(services, limits.tailQueue),
    identify(identities, limits.tailQueue),
    concatWith(defer(() => of({ info: null, events: identities.finish(tracks.finish()), boxes: [] }))),
  )
}

/** Without models a camera still tells of motion. */
const withoutFaces: OperatorFunction<Measured, Seen> = map(({ frame, events }) => {
  const { info } = frame
  frame.release()
  return { info, events, boxes: [] }
})

function hasFaces(services: GraphServices): services is FaceServices {
  return services.faces !== null
}

/** Keyframes are all that is wanted: nothing is gated, and nothing else is looked for. */
export function isExtraction({ keyframes, faces }: GraphServices['spec']): boolean {
  return keyframes !== null && keyframes.imagesDir !== null && faces === null
}
