/**
 * The one data path: what happens to every frame of every camera and every recording, in reading order.
 * A graph serves one pass over its source and holds all state of that pass; the next pass gets a new one, so that
 * between two passes there is no state and a replacement host can start there. Session host only.
 */
import { concatWith, defer, map, type Observable, type OperatorFunction, of, pipe } from 'rxjs'
import type { Size } from '../core/geometry.ts'
import type { FrameRef } from './frames/frame-ref.ts'
import type { FaceServices, GraphServices, Measured, Seen } from './graph-item.ts'
import { detect } from './operators/detect.ts'
import { embed } from './operators/embed.ts'
import { Identities, identify } from './operators/identify.ts'
import { MotionGate, motionGate } from './operators/motion-gate.ts'
import { qualityGate } from './operators/quality-gate.ts'
import { sampleFps } from './operators/sample-fps.ts'
import { FaceTracks, track } from './operators/track.ts'

export interface GraphLimits {
  /** Frames that may wait for the detector. */
  detectQueue: number
  /** Frames between detector and verdict. */
  tailQueue: number
}

export function cameraGraph(
  frames: Observable<FrameRef>,
  services: GraphServices,
  analysis: Size,
  limits: GraphLimits,
): Observable<Seen> {
  const gate = new MotionGate(services)
  const { fps } = services.spec.analysis
  return frames.pipe(
    sampleFps({ fps, share: () => services.share, onSkip: (frame) => services.skip(frame, 'rate') }),
    motionGate(gate, services),
    qualityGate(services),
    hasFaces(services) ? faceBranch(services, analysis, limits) : withoutFaces,
    concatWith(defer(() => of({ info: null, events: gate.finish(), boxes: [] }))),
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
