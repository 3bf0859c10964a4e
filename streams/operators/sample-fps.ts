/**
 * `sampleFps`: at most `fps` frames of a second of media time go on; the others are skipped(rate) and released.
 * By PTS and never by the wall clock, so that a replay samples what the live run sampled. Session host only.
 * Under load a camera keeps only a share of its rate, which may change while it runs.
 */
import { Observable, type OperatorFunction } from 'rxjs'
import type { FrameRef } from '../frames/frame-ref.ts'

export interface SampleOptions {
  /** `null` lets every frame through. */
  fps: number | null
  /** Share of the rate that is left, 0 < share ≤ 1; asked for at each frame. 1 when absent. */
  share?(): number
  /** PTS of a frame that was taken by an earlier pass, after which this one goes on. */
  afterMs?: number | null
  onSkip(frame: FrameRef): void
}

export function sampleFps({ fps, share, afterMs, onSkip }: SampleOptions): OperatorFunction<FrameRef, FrameRef> {
  if (fps === null && share === undefined) return (source) => source
  const left = share ?? (() => 1)
  return (source) =>
    new Observable((subscriber) => {
      const takes = fps === null ? byCount() : byTime(sampleSlot(fps), afterMs)
      return source.subscribe({
        next(frame) {
          if (takes(frame.info.ptsMs, left())) subscriber.next(frame)
          else onSkip(frame)
        },
        error: (error) => subscriber.error(error),
        complete: () => subscriber.complete(),
      })
    })
}

type Takes = (ptsMs: number, share: number) => boolean

/** The slot of media time that a PTS lies in, where `fps` pictures a second go on; with a smaller share the slots are longer. */
export function sampleSlot(fps: number): (ptsMs: number, share?: number) => number {
  const intervalMs = 1000 / fps
  // Half a millisecond of grace: 33.333 ms time stamps are rounded to whole ones by many containers.
  return (ptsMs, share = 1) => Math.floor(((ptsMs + 0.5) * share) / intervalMs)
}

/** The first frame in each slot. */
function byTime(slot: ReturnType<typeof sampleSlot>, afterMs?: number | null): Takes {
  let lastMs = afterMs ?? Number.NEGATIVE_INFINITY
  return (ptsMs, share) => {
    if (slot(ptsMs, share) <= slot(lastMs, share)) return false
    lastMs = ptsMs
    return true
  }
}

/** Every frame, or every nth. */
function byCount(): Takes {
  let credit = 0
  return (_, share) => {
    credit += share
    if (credit < 1) return false
    credit -= 1
    return true
  }
}
