/**
 * Whether the pictures of a stream come at one rate, and where some are missing, from the PTS of its packets in the order of the
 * file. Pure state over one stream, bounded: B-frames are put in order within a window, and distances are counted, not kept.
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
/** At one rate, so many pictures in a row that are not there are missing, and not late. */
const MISSING = 4
/** So many of the longest distances are kept. */
const LONGEST = 20

/** Between two pictures that follow one another. */
export interface Gap {
  /** Of the picture before. */
  ptsMs: number
  ms: number
  /** Position in the file of the picture behind it; `null` where the container does not tell. */
  byte: number | null
}

interface Picture {
  ptsMs: number
  byte: number | null
}

export class FrameDistances {
  readonly #tickMs: number
  readonly #window: Picture[] = []
  readonly #longest: Gap[] = []
  readonly #counts = new Map<number, number>()
  #lastMs: number | undefined
  #distances = 0

  /** `tickMs`: the unit of the container's time stamps, to which each is rounded. */
  constructor(tickMs: number) {
    this.#tickMs = tickMs
  }

  add(ptsMs: number, byte: number | null): void {
    const { length } = this.#window
    const at = this.#window.findLastIndex((earlier) => earlier.ptsMs <= ptsMs) + 1
    this.#window.splice(at, 0, { ptsMs, byte })
    if (length >= WINDOW) this.#next(this.#window.shift()!)
  }

  /** After the last packet. At a variable rate nobody knows what is missing. */
  end(): { variable: boolean; gaps: Gap[] } {
    for (const picture of this.#window.splice(0)) this.#next(picture)
    const median = this.#median()
    if (this.#isVariable(median)) return { variable: true, gaps: [] }
    const gaps = median === 0 ? [] : this.#longest.filter(({ ms }) => ms > (MISSING + 0.5) * median)
    return { variable: false, gaps: gaps.sort((a, b) => a.ptsMs - b.ptsMs) }
  }

  #isVariable(median: number): boolean {
    if (this.#counts.size >= MOST_KINDS) return true
    const tolerance = Math.max(TOLERANCE * median, 1.5 * this.#tickMs)
    let other = 0
    for (const [kind, count] of this.#counts) if (Math.abs(kind * GRAIN_MS - median) > tolerance) other += count
    return other > Math.max(1, SHARE * this.#distances)
  }

  #next({ ptsMs, byte }: Picture): void {
    const lastMs = this.#lastMs
    this.#lastMs = ptsMs
    if (lastMs === undefined || this.#counts.size >= MOST_KINDS) return
    const ms = ptsMs - lastMs
    const kind = Math.round(ms / GRAIN_MS)
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1)
    this.#distances++
    const at = this.#longest.findIndex((longer) => longer.ms < ms)
    if (at < 0 && this.#longest.length >= LONGEST) return
    this.#longest.splice(at < 0 ? this.#longest.length : at, 0, { ptsMs: lastMs, ms, byte })
    if (this.#longest.length > LONGEST) this.#longest.pop()
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
