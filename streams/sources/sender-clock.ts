/**
 * What the camera itself says of the time: the NTP time of its RTCP sender reports (RFC 3550 § 6.4.1), believed only when it
 * holds still and can be true. Pure state over one connection. Session host only.
 *
 * A camera whose clock was never set says 1970, or is minutes off; an event of the future helps nobody, and a node's events
 * are to be on one clock. So a lag from capture to arrival must come out that a network can have.
 */

/** Clocks that are synchronised by NTP over the Internet agree within tens of ms; a second allows for a poor one, ms. */
const FUTURE_MS = 1000
/** No camera holds pictures back longer than this before it sends them, ms. */
const LAG_MS = 10_000
/** Sender reports come every 5 s or so: at least two of them must agree, ms. */
const TRUST_AFTER_MS = 10_000
/** Samples that are this near to the median agree, ms; a camera whose clock is being set has others, */
const STEADY_MS = 250
/** and this share of the last 15 s may be such. */
const ASTRAY_RATIO = 0.2
const SAMPLE_MS = 500
const MAX_SAMPLES = 30

interface Sample {
  mediaMs: number
  /** The camera's wall clock − media time. */
  offsetMs: number
  /** Arrival by our clock − capture by the camera's. */
  lagMs: number
}

export class SenderClock {
  readonly #samples: Sample[] = []
  #lastMs = Number.NEGATIVE_INFINITY
  #offsetMs: number | null = null

  /** ms since the epoch at media time 0, by the camera's clock; `null` while that is not to be believed. */
  get offsetMs(): number | null {
    return this.#offsetMs
  }

  /** `senderAtMs`: when the picture was captured, by the camera's clock; ms since the epoch. */
  step(mediaMs: number, senderAtMs: number, arrivedAtMs: number): void {
    if (Math.abs(mediaMs - this.#lastMs) < SAMPLE_MS) return
    this.#lastMs = mediaMs
    const samples = this.#samples
    samples.push({ mediaMs, offsetMs: senderAtMs - mediaMs, lagMs: arrivedAtMs - senderAtMs })
    if (samples.length > MAX_SAMPLES) samples.shift()
    const offsetMs = median(samples)
    this.#offsetMs = believable(samples, offsetMs) ? offsetMs : null
  }
}

function believable(samples: readonly Sample[], medianMs: number): boolean {
  if (samples.at(-1)!.mediaMs - samples[0]!.mediaMs < TRUST_AFTER_MS) return false
  const steady = samples.filter(({ offsetMs }) => Math.abs(offsetMs - medianMs) <= STEADY_MS)
  if (steady.length < (1 - ASTRAY_RATIO) * samples.length) return false
  // The least: queues come on top of it.
  const lagMs = Math.min(...steady.map((sample) => sample.lagMs))
  return lagMs > -FUTURE_MS && lagMs < LAG_MS
}

function median(samples: readonly Sample[]): number {
  const offsets = samples.map(({ offsetMs }) => offsetMs).sort((a, b) => a - b)
  return offsets[offsets.length >> 1]!
}
