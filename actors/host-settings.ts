/**
 * What all hosts of a daemon have in common: entry files, deadlines, clock and log. Plain data, put together by src/.
 * The entry files are paths: actors/ starts a host and talks to it in core/wire, it imports nothing of what runs inside.
 */
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/ports.ts'
import type { SpawnHost } from './kernel/child-process.ts'

export interface HostSettings {
  sessionEntry: URL
  engineEntry: URL
  helloMs: number
  /** No message from a child for this long: SIGKILL. */
  silenceMs: number
  stopMs: number
  killMs: number
  clock: Clock
  logger: Logger
  /** Where hosts come from, if not each from a start of its own (host-pool). */
  spawn?: SpawnHost
}
