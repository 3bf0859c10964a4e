/**
 * The life of a camera as a table: which happening leads from which state to which. Pure; the camera actor feeds it.
 *
 *              start          attempt               pictures              silence           failure, or one too many
 *   (new) ───► connecting ◄──────────────┐   ┌─► live · frozen · black ─► stalled     any ─► backing_off · quarantined
 *   stopped                   backing_off ┘   └──────── connecting ◄──────────┘        any ─► stopped, at its end
 *
 * A camera that is told of twice (a failure while it waits, a frame while it is live) stays where it is; what cannot
 * happen in a state changes nothing.
 */
import type { BreakerState, CameraState } from '../core/event.ts'

/**
 * `start`: it is wanted. `attempt`: the next try begins, by a new host or a new connection. `good`, `frozen`, `black`:
 * pictures come, and look like that. `silence`: connected, and none came for too long. `failure`: the connection or the
 * host is gone. `quarantine`: the same, once too often. `end`: told to, the recording is over, or it cannot be played.
 */
export const happenings = [
  'start',
  'attempt',
  'good',
  'frozen',
  'black',
  'silence',
  'failure',
  'quarantine',
  'end',
] as const
export type Happening = (typeof happenings)[number]

/** A camera before its first state is `null`. */
type From = CameraState | null

/** It is being tried, or has a connection. */
const open: readonly From[] = ['connecting', 'live', 'stalled', 'frozen', 'black']

const table: Record<Happening, { from: readonly From[]; to: CameraState }> = {
  start: { from: [null, 'stopped'], to: 'connecting' },
  attempt: { from: ['backing_off', 'quarantined'], to: 'connecting' },
  good: { from: open, to: 'live' },
  frozen: { from: open, to: 'frozen' },
  black: { from: open, to: 'black' },
  silence: { from: open, to: 'stalled' },
  failure: { from: [...open, 'backing_off'], to: 'backing_off' },
  quarantine: { from: [...open, 'backing_off', 'quarantined'], to: 'quarantined' },
  end: { from: [null, ...open, 'backing_off', 'quarantined'], to: 'stopped' },
}

/** The state after `happening`; `undefined` when that cannot happen in this state. */
export function nextState(state: CameraState | null, happening: Happening): CameraState | undefined {
  const { from, to } = table[happening]
  return from.includes(state) ? to : undefined
}

/** Why a camera is in the state that its picture puts it in. */
export const pictureReasons = {
  good: 'the picture is a healthy one',
  frozen: 'nothing in the picture changes',
  black: 'there is no light in the picture',
} as const

/** Failures in a row from which on the breaker of a connection is open: a single one is an accident. */
const OPEN_AFTER_FAILURES = 3

/**
 * The circuit breaker of the connection: `open` while a camera that keeps failing waits, `half-open` while it is tried, and
 * until it is trusted again (actors/reconnect). Nothing is refused by it: it says how the one attempt at a time goes.
 */
export function breakerOf(state: CameraState, failures: number, quarantined: boolean): BreakerState {
  if (state === 'stopped' || (failures < OPEN_AFTER_FAILURES && !quarantined)) return 'closed'
  return state === 'backing_off' || state === 'quarantined' ? 'open' : 'half-open'
}
