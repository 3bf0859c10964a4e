/**
 * One pass over a source: what a file's pass and a camera's connection have in common. Session host only.
 * A source runs until its end, an error or a stop, and nothing more: retries, loops and readiness belong to the session and
 * to the daemon.
 */
import { Observable } from 'rxjs'
import type { FrameInfo } from '../../core/frame.ts'
import type { StreamInfo } from '../../core/wire/stream-info.ts'
import type { FrameOrigin } from '../frames/frame-ref.ts'
import type { RestPolicy } from '../media/gated-decoder.ts'
import type { NativeFrame } from '../media/native-frame.ts'

/** A decoded, upright frame; the receiver frees `full`. */
export interface Captured {
  info: FrameInfo
  full: NativeFrame
  /** Too far behind the pace to be worth analysing for one who plays a camera. */
  late: boolean
  /** Analysed and counted by an earlier pass, after which this one goes on. */
  again?: true
  origin: FrameOrigin
}

export interface Pass extends AsyncDisposable {
  readonly stream: StreamInfo
  /** Pictures that came so far, decoded or not. */
  readonly received: number
  /** How much faster the source's clock runs than ours, parts per million; `null` while or where that is not known. */
  readonly driftPpm: number | null
  /** Where the next pass begins; meaningful once the frames have ended. */
  readonly next: { seqBase: number; ptsBaseMs: number }
  /** The frames of the pass, to be subscribed once. Without a policy everything is decoded. Errors: SRC_*, DEC_*. */
  frames(policy: RestPolicy | null): Observable<Captured>
  /** Ends the frames early, in order. */
  stop(): void
}

/** Takes a frame over. */
export type Emit = (captured: Captured) => void

/**
 * What `read` emits, for one subscription: frames that nobody takes any more are freed, and the end of the subscription stops
 * the reader. `reading` settles when the reader has ended, however it does: native memory is not freed under it.
 */
export function framesOf(
  read: (emit: Emit) => Promise<void>,
  stop: () => void,
  onReading: (reading: Promise<void>) => void,
): Observable<Captured> {
  return new Observable((subscriber) => {
    const emit = (captured: Captured) => {
      if (subscriber.closed) captured.full.free()
      else subscriber.next(captured)
    }
    const reading = read(emit).then(
      () => subscriber.complete(),
      (error) => subscriber.error(error),
    )
    onReading(reading)
    return stop
  })
}
