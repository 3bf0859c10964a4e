/**
 * What a camera actor is given, what it says, and what can be read of it. Types only; runs in the daemon.
 */
import type { CodedError, GrabberError } from '../core/errors.ts'
import type { BreakerState, EventData } from '../core/event.ts'
import type { LedgerCounts } from '../core/ledger.ts'
import type { GalleryHit } from '../core/observation.ts'
import type { FromSession, SessionProgress } from '../core/wire/control.ts'
import type { Checkpoint, SessionSpec } from '../core/wire/session-spec.ts'
import type { StandingReport } from './camera-standing.ts'
import type { EngineDirectory } from './engine-directory.ts'
import type { HostSettings } from './host-settings.ts'
import type { Transition } from './kernel/supervision-node.ts'
import type { Turnstile } from './kernel/turnstile.ts'
import type { ReceptionReport } from './reception.ts'
import type { ReconnectPolicy } from './reconnect.ts'
import type { SessionVisitors } from './session-process.ts'

type Message<T extends FromSession['type']> = Extract<FromSession, { type: T }>

/** What of the configuration is the actor's own business. */
export interface CameraSettings {
  host: HostSettings
  /** No picture for this long while connected: stalled. */
  stallMs: number
  reconnect: ReconnectPolicy
}

export interface CameraOptions {
  id: string
  /** Whether it runs from the start. */
  enabled: boolean
  /** Read when its place in the tree is taken: a change takes it out and puts it back. */
  settings(): CameraSettings
  /** Made anew for each incarnation: where to go on, and with which faces. Throws SRC_UNSUPPORTED. */
  spec(incarnation: number): SessionSpec
  /** Unique for the camera's id while the daemon lives. */
  nextIncarnation(): number
  directory: EngineDirectory
  search(embedding: Float32Array, k: number): Promise<GalleryHit[]>
  visitors: SessionVisitors
  /** Between fork and `hello`. */
  turnstile: Turnstile
  listener: CameraListener
}

export interface CameraListener {
  onState(id: string, change: EventData<'camera.state'>): void
  onBreaker(id: string, breaker: BreakerState): void
  /** Must have the event in its keeping when it returns. */
  onEvent(id: string, message: Message<'event'>): void
  onBoxes(id: string, message: Message<'boxes'>): void
  /** Sum over all incarnations of this daemon. */
  onLedger(id: string, ledger: LedgerCounts): void
  onProgress(id: string, progress: SessionProgress): void
  onCheckpoint(id: string, checkpoint: Checkpoint): void
  /** The last word of a session that ended in order. */
  onEnded(id: string, message: Message<'ended'>): void
  onComplaint(id: string, error: CodedError): void
  /** An attempt failed: the connection, or its host. */
  onFailure(id: string, error: GrabberError): void
  /** Its recording has ended, or it was stopped in order: what it played does not go on. */
  onOver(id: string): void
  onHost(id: string, pid: number | null): void
  onTransition(transition: Transition): void
}

/** What the API says of a camera. Names no address: it may hold credentials. */
export interface CameraReport extends StandingReport, ReceptionReport {
  id: string
  /** Share of its rate that the load leaves it, 0–1. */
  share: number
  /** Of the newest host; 0 before the first. */
  incarnation: number
  /** `null` while there is none. */
  hostPid: number | null
}
