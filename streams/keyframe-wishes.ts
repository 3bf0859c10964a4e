/**
 * Keyframes that somebody outside asked for. Pure; session host only. Bounded: who asks faster than pictures come is
 * asking for the same picture.
 */
import type { FrameInfo } from '../core/frame.ts'

const MAX_WISHES = 16
/** A camera whose clock is behind would never show what was asked for: after this the next picture does, ms. */
const PATIENCE_MS = 5000

export class KeyframeWishes {
  #wishes: { reason: string; atMs: number }[] = []

  /** `atMs` is the wall clock; a picture that was captured before is not meant. */
  add(reason: string, atMs: number): void {
    if (this.#wishes.length < MAX_WISHES) this.#wishes.push({ reason, atMs })
  }

  /** The reasons of those that this frame fulfils; they are fulfilled then. */
  fulfilledBy({ capturedAtMs }: FrameInfo, nowMs: number): string[] {
    if (this.#wishes.length === 0) return []
    const met = this.#wishes.filter(({ atMs }) => capturedAtMs >= atMs || nowMs - atMs >= PATIENCE_MS)
    this.#wishes = this.#wishes.filter((wish) => !met.includes(wish))
    return met.map(({ reason }) => reason)
  }
}
