/**
 * Native calls that can be interrupted, and that nobody waits for longer than their limit. Session host only.
 * FFmpeg asks between its own waits whether it was interrupted; a system call that blocks (a dead network mount, a pipe
 * that says nothing) never asks. Such a call is given up: its thread is lost, and its memory must not be freed under it.
 *
 * One timer serves many calls, since there are a hundred a second and each is over in no time: set for the first of them, it looks
 * when it is due what is under way then, and for how long.
 */
import type { Clock, Timer } from '../../core/clock.ts'

/** From the interruption to giving up, ms. */
const GRACE_MS = 500

let stuckCalls = 0

/** A native call of this process was given up: `process.exit` would wait for its thread, which may be never. */
export function hasStuckCalls(): boolean {
  return stuckCalls > 0
}

export class PatientCall implements Disposable {
  readonly #clock: Clock
  readonly #interrupt: () => void
  #timer: Timer | undefined
  /** Monotonic: when the timer is due. */
  #timerAtMs = 0
  /** Of the call that is under way. */
  #giveUp: (() => void) | undefined
  #limitAtMs = 0
  #interrupted = false
  #late = false
  #stuck = false

  /** `interrupt` makes a call that is under way return, if it can. */
  constructor(clock: Clock, interrupt: () => void) {
    this.#clock = clock
    this.#interrupt = interrupt
  }

  /** A call was interrupted because its limit had passed. */
  get late(): boolean {
    return this.#late
  }

  /** A call was given up and may still be running. */
  get stuck(): boolean {
    return this.#stuck
  }

  /** One call at a time. `undefined` when it was given up. */
  run<T>(limitMs: number, call: () => Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.#giveUp = () => {
        this.#over()
        this.#stuck = true
        stuckCalls++
        resolve(undefined)
      }
      this.#limitAtMs = this.#clock.monotonicMs() + limitMs
      if (!this.#timer || this.#timerAtMs > this.#limitAtMs) this.#set(limitMs)
      const over = (settle: () => void) => {
        if (this.#stuck) return
        this.#over()
        settle()
      }
      call().then(
        (value) => over(() => resolve(value)),
        (error) => over(() => reject(error)),
      )
    })
  }

  interrupt(): void {
    this.#interrupt()
    if (!this.#giveUp) return
    this.#interrupted = true
    this.#set(GRACE_MS)
  }

  /** Leaves no timer; between two calls. */
  [Symbol.dispose](): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#interrupted = false
  }

  #over(): void {
    this.#giveUp = undefined
    if (this.#interrupted) this[Symbol.dispose]()
  }

  #set(ms: number): void {
    this.#timer?.cancel()
    this.#timerAtMs = this.#clock.monotonicMs() + ms
    this.#timer = this.#clock.after(ms, () => this.#look())
  }

  #look(): void {
    this.#timer = undefined
    if (!this.#giveUp) return
    const leftMs = this.#limitAtMs - this.#clock.monotonicMs()
    if (this.#interrupted) this.#giveUp()
    else if (leftMs > 0) this.#set(leftMs)
    else {
      this.#late = true
      this.interrupt()
    }
  }
}
