/**
 * How long a camera's socket may be left alone while nothing is decoded. Pure; session host only.
 * Each packet that is awaited as it comes wakes two threads and the kernel several times. Read a few at a time they cost half of
 * that, demuxing 1080p at 25 pictures a second: 5.1 ms of CPU time a second when awaited, 3.3 in bursts of 200 ms, 2.5 of 400. What
 * is left in the socket is the operating system's to keep, so this is for TCP alone: UDP would lose it.
 */

/** Activity is noticed later by so much at most, ms. */
const MOST_MS = 400
/** Shorter than the distance of a few pictures it saves nothing, ms. */
const LEAST_MS = 80
/** Left in the socket at one time: what Linux sets aside for one at first; it makes room for more. A camera must not have to wait. */
const BYTES = 128 * 1024
/** A packet this much older than the freshest ones is followed by others that have come already, ms. */
const FRESH_MS = 50
/** The freshest ones are forgotten by so much: clocks drift. ms per ms */
const LEAK = 0.001
/** Time stamps that jumped, or a camera that was away, ms. */
const JUMP_MS = 5000

export class BurstReading {
  #leastMs = Number.POSITIVE_INFINITY
  #lastMs = 0
  #bytes = 0
  #sinceMs: number | undefined

  /** After each packet: how long to wait before the next is read, ms; 0 while more of them should be there. */
  lullMs({ dtsMs, bytes, monotonicMs }: { dtsMs: number | null; bytes: number; monotonicMs: number }): number {
    this.#bytes += bytes
    if (dtsMs === null || !this.#isFresh(monotonicMs - dtsMs, monotonicMs)) return 0
    const elapsedMs = this.#sinceMs === undefined ? 0 : monotonicMs - this.#sinceMs
    const lullMs = Math.min(MOST_MS, (BYTES * elapsedMs) / this.#bytes)
    this.#bytes = 0
    this.#sinceMs = monotonicMs
    return lullMs < LEAST_MS ? 0 : lullMs
  }

  #isFresh(ageMs: number, nowMs: number): boolean {
    const aboveMs = ageMs - (this.#leastMs + LEAK * (nowMs - this.#lastMs))
    this.#lastMs = nowMs
    this.#leastMs = Math.abs(aboveMs) > JUMP_MS ? ageMs : ageMs - Math.max(0, aboveMs)
    return aboveMs <= FRESH_MS
  }
}
