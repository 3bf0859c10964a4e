/**
 * What a supervisor knows about the things it supervises: how they end, how they are stopped, how they are specified.
 * Types only; runs in the daemon.
 */
import type { GrabberError } from '../../core/errors.ts'

/** How a child ended: its work was done, it was told to, or it failed. Only a crash is abnormal. */
export type Exit = { kind: 'normal' } | { kind: 'shutdown' } | { kind: 'crash'; error: GrabberError }

/** Anything that lives until it exits: an actor, a host process, a supervisor. */
export interface RunningChild {
  /** Settles once, when the child is gone. */
  readonly exited: Promise<Exit>
  /** Ends the child in order; resolves when it is gone. Harmless when it is gone already. */
  stop(): Promise<void>
  /** Plain data for the supervision tree. */
  inspect?(): unknown
}

/**
 * When a child that ended is started again (OTP's words):
 * permanent always; transient only after a crash; temporary never, and its specification is forgotten.
 */
export type RestartType = 'permanent' | 'transient' | 'temporary'

export interface StartContext {
  /** Restarts since the child was last healthy; 0 at first. */
  attempt: number
  /** Where the child stands in the tree, such as `root/cameras/camera:lobby`. A nested supervisor takes it as its path. */
  path: string
  /**
   * Aborted when the supervisor no longer waits for this child: while it is starting, or because it did not stop
   * within `shutdownMs` (OTP's brutal kill). A host process answers with SIGKILL.
   */
  signal: AbortSignal
}

export interface ChildSpec {
  /** Unique among its siblings; no slash. */
  id: string
  restart: RestartType
  /** Time to stop in order, ms; after it the start's signal is aborted and the child abandoned. */
  shutdownMs: number
  /** A throw or rejection counts as a crash of this child. */
  start(context: StartContext): RunningChild | Promise<RunningChild>
}
