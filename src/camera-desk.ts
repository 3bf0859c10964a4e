/**
 * The cameras as commands, triggers and reloads reach them. Runs in the daemon; the fleet is behind it.
 */
import type { CameraReport } from '../actors/camera.ts'
import type { Config } from '../config/schema.ts'

export interface CameraTrigger {
  /** Why, in the words of who asks; at most 200 characters. */
  reason: string
  /** How long the gate is held open, ms. */
  holdMs: number
  /** Whether a picture of the moment is kept. */
  keyframe: boolean
}

/** Ids of cameras by what became of them. */
export interface CameraChanges {
  added: string[]
  removed: string[]
  restarted: string[]
  unchanged: string[]
}

/** An id that no camera has is API_NOT_FOUND. */
export interface CameraDesk {
  list(): CameraReport[]
  get(id: string): CameraReport
  /** Nothing when it runs. */
  start(id: string): Promise<void>
  /** Nothing when it is stopped. */
  stop(id: string): Promise<void>
  /** A new session, whatever the old one was doing. */
  restart(id: string): Promise<void>
  /** False when the camera has no session that could be woken. */
  trigger(id: string, trigger: CameraTrigger): boolean
  /** Brings the cameras to `next`; those that it leaves as they were go on undisturbed. */
  apply(next: Config): Promise<CameraChanges>
}
