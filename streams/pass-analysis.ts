/**
 * One pass through the graph, from its frames to its last word. Session host only.
 * Owns the subscription. A source that fails ends the pass in order: what is in flight is finished, tracks end; the failure
 * is then the caller's. Everything else that fails ends the pass at once.
 */
import { catchError, EMPTY, filter, identity, lastValueFrom, map } from 'rxjs'
import type { PictureHealth } from '../core/wire/control.ts'
import { cameraGraph, type Selection } from './camera-graph.ts'
import type { Seen } from './graph-item.ts'
import type { RestPolicy } from './media/gated-decoder.ts'
import type { PictureScaler } from './media/picture-scaler.ts'
import { bounded } from './operators/bounded.ts'
import { pictureHealth } from './operators/picture-health.ts'
import { LIVE_TAIL_FRAMES, LOSSLESS_FRAMES, type SessionServices } from './session-services.ts'
import type { Captured, Pass } from './sources/pass.ts'

/** Frames that may wait for the detector when the newest wins. */
const LIVE_DETECT_QUEUE = 2
/** The places behind a camera's detector, and the words at the end of a pass. */
const LIVE_TAIL_QUEUE = LIVE_TAIL_FRAMES + 2
/** A lossless session's stages can all hold what was admitted, and the words at the end of a pass. */
const LOSSLESS_QUEUE = LOSSLESS_FRAMES + 2

export interface PassAnalysis {
  pass: Pass
  services: SessionServices
  scaler: PictureScaler
  policy: RestPolicy | null
  /** `null` selects no keyframes. */
  selection: Selection | null
  /** State of selection at the frame after which the pass goes on. */
  resumeFrom: string | null
  /** The end of the frames is an end of what they show: tracks end with it. */
  concludes(): boolean
  /** The picture of a camera is healthy, frozen or black from now on. */
  onPicture(health: PictureHealth, evidence: string): void
  /** A failure that ends the pass in order. */
  isSourceFailure(error: unknown): boolean
  /** The first frame has come. */
  onBegun(): void
}

/** Resolves when everything has its verdict, with the source's failure if it ended by one. */
export async function analysePass(options: PassAnalysis): Promise<{ failure?: unknown }> {
  const { pass, services, scaler, policy, selection, resumeFrom, concludes, isSourceFailure, onBegun } = options
  const outcome: { failure?: unknown } = {}
  const rejoin = (captured: Captured) => {
    using frame = services.borrow(captured, scaler)
    if (resumeFrom !== null) selection?.branch.resume(frame, resumeFrom)
    return undefined
  }
  const frames = pass.frames(policy).pipe(
    catchError((error) => {
      if (!isSourceFailure(error)) throw error
      outcome.failure = error
      return EMPTY
    }),
    map((captured, index) => {
      const frame = captured.again ? rejoin(captured) : services.capture(captured, scaler)
      if (index === 0) onBegun()
      return frame
    }),
    filter((frame) => frame !== undefined),
    services.lossless ? identity : pictureHealth({ ...services.spec.picture, onChange: options.onPicture }),
  )
  const detectQueue = services.lossless ? LOSSLESS_QUEUE : LIVE_DETECT_QUEUE
  const tailQueue = services.lossless ? LOSSLESS_QUEUE : LIVE_TAIL_QUEUE
  const concluded = cameraGraph(frames, services, scaler.size, { detectQueue, tailQueue }, selection).pipe(
    filter(({ info }) => info !== null || concludes()),
    bounded<Seen, void>({
      inFlight: 1,
      queue: tailQueue,
      overflow: 'wait',
      project: (words) => services.conclude(words),
      onDrop: () => undefined,
      isItemFailure: () => false,
    }),
  )
  await lastValueFrom(concluded, { defaultValue: undefined })
  return outcome
}
