/**
 * What the daemon hears of a camera: whether pictures come, how they look, how old the newest is, what became of its frames.
 * Runs in the daemon; one a camera, over all its incarnations. Looks at the daemon's clock, so that a host which says nothing
 * at all is noticed as well.
 */
import type { Clock } from '../core/clock.ts'
import { addLedgers, emptyLedger, type LedgerCounts } from '../core/ledger.ts'
import type { PictureHealth, SessionProgress } from '../core/wire/control.ts'
import type { StreamInfo } from '../core/wire/stream-info.ts'
import { SilenceWatch } from './kernel/silence-watch.ts'

export interface ReceptionReport {
  /** Of the last connection. */
  stream: StreamInfo | null
  /** `null` while no host says it, as the four below. */
  gate: SessionProgress['gate'] | null
  driftPpm: number | null
  /** Of this incarnation. */
  damaged: number | null
  /** Full-resolution frames that it holds. */
  leases: number | null
  rssBytes: number | null
  /** Sum over all incarnations of this daemon. */
  ledger: LedgerCounts
  /** Age of the newest picture that arrived, decoded or not. */
  lastFrameAgeMs: number | null
}

export class Reception {
  readonly #clock: Clock
  readonly #onSilence: () => void
  #connected = false
  #stallMs = 0
  #watch: SilenceWatch | undefined
  #received = 0
  #lastAtMs: number | null = null
  #picture: PictureHealth = 'good'
  #stream: StreamInfo | null = null
  #progress: SessionProgress | undefined
  /** Of incarnations that are over. */
  #past = emptyLedger()

  /** `onSilence`: connected, and no picture for `stallMs`. Once for each silence. */
  constructor(clock: Clock, onSilence: () => void) {
    this.#clock = clock
    this.#onSilence = onSilence
  }

  /** As it was told last; a new connection starts with a good one. */
  get picture(): PictureHealth {
    return this.#picture
  }

  get lastFrameAgeMs(): number | null {
    return this.#lastAtMs === null ? null : Math.round(this.#clock.monotonicMs() - this.#lastAtMs)
  }

  get ledger(): LedgerCounts {
    return this.#progress ? addLedgers(this.#past, this.#progress.ledger) : this.#past
  }

  report(): ReceptionReport {
    const { gate = null, driftPpm = null, damaged = null, leases = null, rssBytes = null } = this.#progress ?? {}
    const { lastFrameAgeMs, ledger } = this
    return { stream: this.#stream, gate, driftPpm, damaged, leases, rssBytes, ledger, lastFrameAgeMs }
  }

  /** A new incarnation: it counts from zero. */
  begin(): void {
    this.#received = 0
  }

  opened(stream: StreamInfo, stallMs: number): void {
    this.#stream = stream
    this.#connected = true
    this.#stallMs = stallMs
    this.#picture = 'good'
    this.#listen()
  }

  changed(stream: StreamInfo): void {
    this.#stream = stream
  }

  /** Nothing is expected until the next `opened`. */
  closed(): void {
    this.#connected = false
    this.#watch?.cancel()
    this.#watch = undefined
  }

  /** True when new pictures arrived. */
  take(progress: SessionProgress): boolean {
    this.#progress = progress
    if (progress.received <= this.#received) return false
    this.#received = progress.received
    this.#lastAtMs = this.#clock.monotonicMs()
    if (this.#watch) this.#watch.heard()
    else if (this.#connected) this.#listen()
    return true
  }

  looks(picture: PictureHealth): void {
    this.#picture = picture
  }

  /** The incarnation is over, and this is what became of its frames. */
  over(ledger: LedgerCounts): void {
    this.#past = addLedgers(this.#past, ledger)
    this.#progress = undefined
  }

  #listen(): void {
    this.#watch?.cancel()
    this.#watch = new SilenceWatch(this.#clock, this.#stallMs, () => {
      this.#watch = undefined
      this.#onSilence()
    })
  }
}
