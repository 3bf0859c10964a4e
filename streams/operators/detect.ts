/**
 * `detect`: faces of each frame, through the engine, two frames in flight, in PTS order. Session host only.
 * What an engine failure means is the source's policy: a recording must not lose the frame, so all but poison ends the
 * stream and the job goes back to its checkpoint; a camera drops the frame and goes on (docs/protocol.md).
 */
import type { OperatorFunction } from 'rxjs'
import { GrabberError, toGrabberError } from '../../core/errors.ts'
import type { RgbPicture } from '../../core/frame.ts'
import type { DropKey } from '../../core/ledger.ts'
import { facesFromResult } from '../../models/yunet.ts'
import { type Detected, type FaceServices, type Measured, SESSION_FAILED } from '../graph-item.ts'
import { bounded, type DropReason } from './bounded.ts'

const IN_FLIGHT = 2
/** IoU above which two boxes are the same face. */
const NMS_THRESHOLD = 0.3

export function detect(services: FaceServices, queue: number): OperatorFunction<Measured, Detected> {
  const { engine, faces, spec } = services
  const params = { scoreThreshold: faces.detectThreshold, nmsThreshold: NMS_THRESHOLD, topK: faces.maxPerFrame }
  const lossless = spec.source.overflow === 'wait'
  /** Pictures that were answered: the engine reads them no more, and the next frames take their memory. */
  const answered: RgbPicture[] = []
  return bounded<Measured, Detected>({
    inFlight: IN_FLIGHT,
    queue,
    overflow: spec.source.overflow,
    async project(item) {
      await services.enterTail(item.frame.info)
      const picture = item.frame.rgb(answered.pop())
      const result = await services.timeAsync('detect', () => engine.infer(faces.detector, picture, params))
      answered.push(picture)
      const found = facesFromResult(result)
      services.countFaces(found.length)
      return { ...item, faces: found }
    },
    onDrop(item, reason, error) {
      if (error !== undefined) services.complain(toGrabberError(error))
      services.drop(item.frame, dropKey(reason, error))
    },
    isItemFailure: (error) => isPoison(error) || (!lossless && error instanceof GrabberError),
  })
}

export function isPoison(error: unknown): boolean {
  return error instanceof GrabberError && error.code === 'ENG_POISON'
}

function dropKey(reason: DropReason, error: unknown): DropKey {
  if (reason === 'unsubscribed') return SESSION_FAILED
  if (reason === 'overflow') return 'detect.overflow'
  if (isPoison(error)) return 'engine.poison'
  const late = error instanceof GrabberError && (error.code === 'ENG_UNAVAILABLE' || error.code === 'ENG_EXPIRED')
  return late ? 'engine.timeout' : 'engine.failed'
}
