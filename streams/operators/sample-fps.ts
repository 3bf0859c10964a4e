/**
 * `sampleFps`: at most `fps` frames of a second of media time go on; the others are skipped(rate) and released.
 * By PTS and never by the wall clock, so that a replay samples what the live run sampled. Session host only.
 */
import { Observable, type OperatorFunction } from 'rxjs'
import type { FrameRef } from '../frames/frame-ref.ts'

export interface SampleOptions {
  /** `null` lets every frame through. */
  fps: number | null
  onSkip(frame: FrameRef): void
}

export function sampleFps({ fps, onSkip }: SampleOptions): OperatorFunction<FrameRef, FrameRef> {
  if (fps === null) return (source) => source
  const intervalMs = 1000 / fps
  return (source) =>
    new Observable((subscriber) => {
      let lastSlot = Number.NEGATIVE_INFINITY
      return source.subscribe({
        next(frame) {
          // Half a millisecond of grace: 33.333 ms time stamps are rounded to whole ones by many containers.
          const slot = Math.floor((frame.info.ptsMs + 0.5) / intervalMs)
          if (slot <= lastSlot) return onSkip(frame)
          lastSlot = slot
          subscriber.next(frame)
        },
        error: (error) => subscriber.error(error),
        complete: () => subscriber.complete(),
      })
    })
}
