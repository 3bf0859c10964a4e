/**
 * A child's stdout or stderr as log lines, bounded in every direction: a host that writes without end, or without a
 * line break, costs a fixed amount of memory and a fixed number of log lines. Runs in the daemon.
 */
import { StringDecoder } from 'node:string_decoder'
import type { Clock } from '../../core/clock.ts'

const MAX_LINE_CHARS = 2000
/** A native library in trouble writes thousands of equal lines; the first say it all. */
const MAX_LINES_PER_PERIOD = 100
const PERIOD_MS = 10_000
const TAIL_LINES = 20

export class LineLog {
  readonly #clock: Clock
  readonly #write: (line: string) => void
  readonly #decoder = new StringDecoder('utf8')
  readonly #tail: string[] = []
  #partial = ''
  /** The present line was cut: skip to its end. */
  #cut = false
  #periodStartMs = Number.NEGATIVE_INFINITY
  #written = 0
  #suppressed = 0

  constructor(clock: Clock, write: (line: string) => void) {
    this.#clock = clock
    this.#write = write
  }

  /** The last lines, oldest first; evidence for the error when the child dies. */
  get tail(): string[] {
    return [...this.#tail]
  }

  push(chunk: Uint8Array): void {
    const pieces = this.#decoder.write(chunk).split('\n')
    pieces.forEach((piece, i) => {
      if (!this.#cut) this.#partial += piece.slice(0, MAX_LINE_CHARS + 1 - this.#partial.length)
      if (this.#partial.length > MAX_LINE_CHARS) {
        this.#emit(`${this.#partial.slice(0, MAX_LINE_CHARS)}…`)
        this.#partial = ''
        this.#cut = true
      }
      if (i === pieces.length - 1) return
      if (!this.#cut) this.#emit(this.#partial)
      this.#partial = ''
      this.#cut = false
    })
  }

  /** The last line, which may lack its line break, and the count of those not written. */
  end(): void {
    if (this.#partial !== '') this.#emit(this.#partial)
    this.#partial = ''
    this.#tellSuppressed()
  }

  #emit(line: string): void {
    if (line.trim() === '') return
    this.#tail.push(line)
    if (this.#tail.length > TAIL_LINES) this.#tail.shift()
    const now = this.#clock.monotonicMs()
    if (now - this.#periodStartMs >= PERIOD_MS) {
      this.#tellSuppressed()
      this.#periodStartMs = now
      this.#written = 0
    }
    if (this.#written++ < MAX_LINES_PER_PERIOD) this.#write(line)
    else this.#suppressed++
  }

  #tellSuppressed(): void {
    if (this.#suppressed > 0) this.#write(`(${this.#suppressed} lines not written)`)
    this.#suppressed = 0
  }
}
