/**
 * Whether the pictures of a stream come at one rate, from the PTS of its packets in the order of the file. Pure state over one
 * stream, bounded: B-frames are put in order within a window, and distances are counted, not kept.
 */

/** H.264 and H.265 reorder over at most 16 pictures. */
const WINDOW = 17
/** Distances are told apart down to this, ms. */
const GRAIN_MS = 0.01
/** More kinds of distances than this are a variable rate by themselves. */
const MOST_KINDS = 4096
/** A distance this far from the median is another one. */
const TOLERANCE = 0.1
/** A gap here and there is no variable rate: this share of the distances is. */
const SHARE = 0.01

export class FrameDistances {
  readonly #tickMs: number
  readonly #window: number[] = []
  readonly #counts = new Map<number, number>()
  #last: number | undefined
  #distances = 0

  /** `tickMs`: the unit of the container's time stamps, to which each is rounded. */
  constructor(tickMs: number) {
    this.#tickMs = tickMs
  }

  add(ptsMs: number): void {
    const { length } = this.#window
    const at = this.#window.findLastIndex((earlier) => earlier <= ptsMs) + 1
    this.#window.splice(at, 0, ptsMs)
    if (length >= WINDOW) this.#next(this.#window.shift()!)
  }

  /** After the last packet. */
  get variable(): boolean {
    for (const ptsMs of this.#window.splice(0)) this.#next(ptsMs)
    if (this.#counts.size >= MOST_KINDS) return true
    const median = this.#median()
    const tolerance = Math.max(TOLERANCE * median, 1.5 * this.#tickMs)
    let other = 0
    for (const [kind, count] of this.#counts) if (Math.abs(kind * GRAIN_MS - median) > tolerance) other += count
    return other > Math.max(1, SHARE * this.#distances)
  }

  #next(ptsMs: number): void {
    if (this.#last !== undefined && this.#counts.size < MOST_KINDS) {
      const kind = Math.round((ptsMs - this.#last) / GRAIN_MS)
      this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1)
      this.#distances++
    }
    this.#last = ptsMs
  }

  #median(): number {
    let left = this.#distances / 2
    for (const [kind, count] of [...this.#counts].sort(([a], [b]) => a - b)) {
      left -= count
      if (left <= 0) return kind * GRAIN_MS
    }
    return 0
  }
}
