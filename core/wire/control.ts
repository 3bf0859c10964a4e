/**
 * The control channel between the daemon and its children: one discriminated union per direction.
 * Carried by Node's IPC (fork, advanced serialisation, so typed arrays travel as they are). docs/protocol.md is the law.
 * Every message carries the incarnation it belongs to; the receiver ignores any other. No pixels pass here.
 */
import type { CodedError } from '../errors.ts'
import type { EventData, EventType } from '../event.ts'
import type { FrameRecord, KeyframeRecord } from '../keyframe.ts'
import type { LedgerCounts } from '../ledger.ts'
import type { CropQuality, EndedTrack, GalleryHit, Liveness, Sighting } from '../observation.ts'
import type { CopiesSpec } from './copies.ts'
import type { CutAnswer, CutSpec } from './cut-spec.ts'
import type { PreflightReport } from './preflight.ts'
import type { SecondPassOutcome, SecondPassSpec } from './second-pass.ts'
import type { Checkpoint, SessionSpec, StillsSpec } from './session-spec.ts'
import type { Damage, StreamInfo } from './stream-info.ts'

export const CONTROL_PROTOCOL = 1

/** Events and selections that a host may have sent and not yet seen acknowledged; it pauses beyond. */
export const EVENT_CREDITS = 256

export interface EngineEndpoint {
  socketPath: string
  incarnation: number
}

/** Where a session's engine is. Of no more than one of several devices: the daemon places each session on one. */
export interface EngineNews {
  /** `null` while there is none. */
  engine: EngineEndpoint | null
  /**
   * Why it is so. `moved`: the engine before this one lives, and open requests are not its fault. `refused`: no engine is
   * to be expected soon (every breaker is open, or every device is full), so requests fail at once instead of waiting.
   */
  why: 'placed' | 'moved' | 'gone' | 'refused'
}

/** px of the upright original picture. */
export interface StillFace {
  box: readonly [number, number, number, number]
  score: number
  landmarks: readonly (readonly [number, number])[]
  quality: number
  embedding?: Float32Array
  /** What this one look says; `unchecked` without a score where the face cannot be judged, absent without models. */
  liveness?: Liveness
  /** Of the aligned crop that the embedding was made of. */
  crop?: CropQuality
}

export interface StageTimes {
  p50Ms: number
  p95Ms: number
  count: number
}

/** What a live picture looks like; `good` until something else is found. */
export type PictureHealth = 'good' | 'frozen' | 'black'

export interface SessionProgress {
  ledger: LedgerCounts
  /** Pictures that arrived in this incarnation, decoded or not: of a camera that is stalled it stands still. */
  received: number
  /** `idle` while only I-frames are decoded; `off` without gating. */
  gate: 'idle' | 'active' | 'off'
  /** By how much the camera's clock runs faster than ours, parts per million; `null` while that is not known. */
  driftPpm: number | null
  /** Pictures that could not be decoded, or in which parts were concealed; as far as the decoder notices. */
  damaged: number
  /** Leases of full-resolution frames that are held now. */
  leases: number
  lastPtsMs: number | null
  rssBytes: number
  faces: number
  tracks: number
  /** Durations in ms since the last progress, at most 64 a stage; for histograms. */
  samples: Record<string, number[]>
}

export type ToSession =
  | ({ type: 'start'; incarnation: number; spec: SessionSpec } & EngineNews)
  | ({ type: 'stills'; incarnation: number; spec: StillsSpec } & EngineNews)
  /** Look at a recording before a job does: all its packets, and not one picture. */
  | { type: 'probe'; incarnation: number; path: string; openTimeoutMs: number }
  /** Take pieces of a recording as they are; answered one by one, in order. */
  | { type: 'cut'; incarnation: number; spec: CutSpec }
  /** Make smaller copies of pictures. */
  | { type: 'copy'; incarnation: number; spec: CopiesSpec }
  /** Compare keyframes with each other; answered by `second-pass.done`. */
  | { type: 'second-pass'; incarnation: number; spec: SecondPassSpec }
  /** The engine moved: a new socket, or none for now. */
  | ({ type: 'engine'; incarnation: number } & EngineNews)
  /** All events and selections up to `n` are in the daemon's hands; gives credits back. */
  | { type: 'ack'; incarnation: number; n: number }
  | { type: 'match.answer'; incarnation: number; requestId: number; hits: GalleryHit[] }
  | { type: 'match.failed'; incarnation: number; requestId: number; error: CodedError }
  /** `null`: it cannot be told who it is, for now. */
  | { type: 'remember.answer'; incarnation: number; requestId: number; anonymous: string | null }
  | { type: 'remember.failed'; incarnation: number; requestId: number; error: CodedError }
  /** Connect to the camera again, after `lost`. */
  | { type: 'connect'; incarnation: number }
  /** Something outside happened: the gate stays open for `holdMs`, and the next picture is kept as a keyframe if asked for. */
  | { type: 'trigger'; incarnation: number; reason: string; holdMs: number; keyframe: boolean }
  /** Under load: analyse only this share of the configured rate, 0 < share ≤ 1. */
  | { type: 'pace'; incarnation: number; share: number }
  /** Finish what is in flight, close, exit 0. */
  | { type: 'stop'; incarnation: number }

export type FromSession =
  | { type: 'hello'; incarnation: 0; protocol: number; pid: number }
  | { type: 'opened'; incarnation: number; stream: StreamInfo }
  /** What is known of the open source has changed: another decoder took over. */
  | { type: 'stream'; incarnation: number; stream: StreamInfo }
  | { type: 'progress'; incarnation: number; progress: SessionProgress }
  /**
   * The camera is gone, or did not come: its tracks have ended and nothing is in flight. The host waits for `connect`.
   * A host that cannot go on at all says `failed` instead.
   */
  | { type: 'lost'; incarnation: number; error: CodedError; progress: SessionProgress }
  /** The picture's health changed; `evidence` is for a person. */
  | { type: 'picture'; incarnation: number; health: PictureHealth; evidence: string }
  | SessionEvent
  | { type: 'boxes'; incarnation: number; ptsMs: number; seq: number; boxes: LiveBox[] }
  | { type: 'match'; incarnation: number; requestId: number; embedding: Float32Array; k: number }
  /** A person who is nobody known: who is it? */
  | { type: 'remember'; incarnation: number; requestId: number; sighting: Sighting }
  /** A track with enough evidence has ended. */
  | { type: 'track'; incarnation: number; track: EndedTrack }
  /** `progress` is that of everything before the checkpoint: nothing is in flight there. */
  | { type: 'checkpoint'; incarnation: number; checkpoint: Checkpoint; progress: SessionProgress }
  | {
      type: 'still'
      incarnation: number
      index: number
      file: string
      width: number
      height: number
      faces: StillFace[]
    }
  /**
   * Candidates that are decided, in order of decision; only with `keyframes.imagesDir`. Numbered and acknowledged with the events.
   */
  | { type: 'selection'; incarnation: number; n: number; records: (FrameRecord | KeyframeRecord)[] }
  /** A probe is at work: so far it has come. At least once a second, as long as packets come. */
  | { type: 'probing'; incarnation: number; ptsMs: number; byte: number | null }
  /** The answer to `probe`; `failed` when it cannot be opened. */
  | { type: 'probed'; incarnation: number; report: PreflightReport }
  | ({ type: 'cut.answer'; incarnation: number } & CutAnswer)
  /** All pieces are answered. */
  | { type: 'cut.ended'; incarnation: number }
  /** All copies of the order of this index are written. */
  | { type: 'copied'; incarnation: number; index: number }
  /** All copies of all orders are. */
  | { type: 'copies.ended'; incarnation: number }
  /** A second pass is at work and has come so far, 0–1. */
  | { type: 'second-pass.sign'; incarnation: number; ratio: number }
  | { type: 'second-pass.done'; incarnation: number; outcome: SecondPassOutcome }
  /** All stills are answered. */
  | { type: 'stills.ended'; incarnation: number }
  /** A single item went wrong (rate-limited); the session goes on. */
  | { type: 'complaint'; incarnation: number; error: CodedError }
  | { type: 'still.failed'; incarnation: number; index: number; file: string; error: CodedError }
  | {
      type: 'ended'
      incarnation: number
      reason: 'end of input' | 'stopped'
      progress: SessionProgress
      stages: Record<string, StageTimes>
      damage: Damage
      peakRssBytes: number
    }
  | { type: 'failed'; incarnation: number; error: CodedError; progress: SessionProgress | null }
  /** The last word of a work of a host that was started for several: it waits for the next `start` or `probe`. */
  | { type: 'rested'; incarnation: number }

/** An event as its session saw it. `n` counts events and selections from 1 within the incarnation, without gaps. */
export interface SessionEvent {
  type: 'event'
  incarnation: number
  n: number
  event: EventType
  key: string
  timeMs: number
  ptsMs: number
  data: EventData
}

export interface LiveBox {
  trackId: string
  box: readonly [number, number, number, number]
  score: number
  subject?: string
}
