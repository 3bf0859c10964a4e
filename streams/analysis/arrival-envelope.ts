/**
 * The lower envelope of arrival − media time: what remains when queues, jitter and stalls are taken away, and how it leans.
 * Pure state over one stream; numbers in, numbers out. Must never read a clock.
 *
 * A picture can come late and never early, so the least offset in a window is the nearest to the true one (the clock filter of
 * NTP, RFC 5905 § 10). The slope of the windows' minima is the skew of the two clocks: Paxson, "On calibrating measurements of
 * packet transit times", SIGMETRICS 1998; Moon, Skelly and Towsley, "Estimation and removal of clock skew from network delay
 * measurements", INFOCOM 1999. It is taken as the median of all pairwise slopes (Theil–Sen), which bears 29 % of windows
 * that lie wholly in a queue.
 */

/** Long enough to hold a picture that met no queue, short enough that 500 ppm move its minimum by 5 ms only. */
const WINDOW_MS = 10_000
/** Ten minutes: crystals change with the temperature, over longer times. */
const MAX_WINDOWS = 60
/** Below a minute 5 ms of jitter in the minima are more than 100 ppm. */
const SKEW_AFTER_MS = 60_000
/** How far back the level is looked for: until the skew is known, 500 ppm must not matter. */
const LEVEL_MS = { known: 120_000, unknown: 30_000 }

interface Minimum {
  mediaMs: number
  offsetMs: number
}

export class ArrivalEnvelope {
  readonly #windows: Minimum[] = []
  #windowEndsMs = Number.NEGATIVE_INFINITY
  #skew: number | null = null

  /** ms of offset per ms of media time: negative when the camera's clock runs fast. `null` before a minute has passed. */
  get skew(): number | null {
    return this.#skew
  }

  /** One arrival: its offset is arrival − media time, ms. */
  add(mediaMs: number, offsetMs: number): void {
    const last = this.#windows.at(-1)
    if (!last || mediaMs >= this.#windowEndsMs) this.#open(mediaMs, offsetMs)
    else if (offsetMs <= last.offsetMs) Object.assign(last, { mediaMs, offsetMs })
  }

  /** The envelope at `mediaMs`, ms; of the nearest window where none is near. There must have been an arrival. */
  at(mediaMs: number): number {
    const skew = this.#skew ?? 0
    const reachMs = this.#skew === null ? LEVEL_MS.unknown : LEVEL_MS.known
    let level = Number.POSITIVE_INFINITY
    for (let i = this.#windows.length - 1; i >= 0; i--) {
      const window = this.#windows[i]!
      if (mediaMs - window.mediaMs > reachMs && level < Number.POSITIVE_INFINITY) break
      level = Math.min(level, window.offsetMs + skew * (mediaMs - window.mediaMs))
    }
    return level
  }

  /** Another origin of media time: the level is unknown again, the clocks are the same ones. */
  restart(): void {
    this.#windows.length = 0
    this.#windowEndsMs = Number.NEGATIVE_INFINITY
  }

  #open(mediaMs: number, offsetMs: number): void {
    const span = this.#windows.length === 0 ? 0 : this.#windows.at(-1)!.mediaMs - this.#windows[0]!.mediaMs
    if (span >= SKEW_AFTER_MS) this.#skew = medianSlope(this.#windows)
    this.#windows.push({ mediaMs, offsetMs })
    if (this.#windows.length > MAX_WINDOWS) this.#windows.shift()
    this.#windowEndsMs = mediaMs + WINDOW_MS
  }
}

function medianSlope(minima: readonly Minimum[]): number {
  const slopes: number[] = []
  for (const [i, a] of minima.entries()) {
    for (const b of minima.slice(i + 1)) {
      const spanMs = b.mediaMs - a.mediaMs
      if (spanMs > 0) slopes.push((b.offsetMs - a.offsetMs) / spanMs)
    }
  }
  slopes.sort((a, b) => a - b)
  const middle = slopes.length >> 1
  return slopes.length % 2 === 1 ? slopes[middle]! : (slopes[middle - 1]! + slopes[middle]!) / 2
}
