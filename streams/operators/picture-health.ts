/**
 * `pictureHealth`: looks at I-frames, and at one other frame a second, and says when the picture stops being a healthy one. Every
 * frame goes on as it came. Session host only.
 */
import { Observable, type OperatorFunction } from 'rxjs'
import type { PictureHealth } from '../../core/wire/control.ts'
import { KEY_STEP_MS, type PictureHealthLimits, PictureHealthModel } from '../analysis/picture-health.ts'
import type { FrameRef } from '../frames/frame-ref.ts'

const LOOK_MS = 1000

export interface PictureHealthOptions extends PictureHealthLimits {
  /** The health changed; `evidence` is for a person. It begins as `good`. */
  onChange(health: PictureHealth, evidence: string): void
}

export function pictureHealth({ onChange, ...limits }: PictureHealthOptions): OperatorFunction<FrameRef, FrameRef> {
  return (source) =>
    new Observable((subscriber) => {
      const model = new PictureHealthModel(limits)
      let [keyMs, lookMs] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
      const look = ({ key, passedKeys, luma, info: { ptsMs } }: FrameRef) => {
        const finding = model.step(luma, { ptsMs, key, passedKeys })
        lookMs = ptsMs
        if (key) keyMs = ptsMs
        if (finding) onChange(finding.health, finding.evidence)
      }
      return source.subscribe({
        next(frame) {
          const { ptsMs } = frame.info
          try {
            if (frame.key ? ptsMs - keyMs >= KEY_STEP_MS : ptsMs - lookMs >= LOOK_MS) look(frame)
          } catch (error) {
            frame.release()
            return subscriber.error(error)
          }
          subscriber.next(frame)
        },
        error: (error) => subscriber.error(error),
        complete: () => subscriber.complete(),
      })
    })
}
