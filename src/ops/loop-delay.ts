/**
 * How late the daemon's event loop runs. Runs in the daemon.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'

type IntervalHistogram = ReturnType<typeof monitorEventLoopDelay>

const RESOLUTION_MS = 10
const WINDOW_MS = 60_000

interface LoopDelay {
  p50Ms: number
  p99Ms: number
  maxMs: number
}

/** Delays over the present window and the one before it: between one and two minutes, whoever asks how often. */
export class LoopDelayMonitor {
  #previous: IntervalHistogram | undefined
  #current = started()
  #sinceMs = performance.now()

  read(): LoopDelay {
    if (performance.now() - this.#sinceMs > WINDOW_MS) {
      this.#current.disable()
      this.#previous = this.#current
      this.#current = started()
      this.#sinceMs = performance.now()
    }
    const windows = this.#previous ? [this.#previous, this.#current] : [this.#current]
    const worst = (of: (histogram: IntervalHistogram) => number) => delayMs(Math.max(...windows.map(of)))
    return { p50Ms: worst((h) => h.percentile(50)), p99Ms: worst((h) => h.percentile(99)), maxMs: worst((h) => h.max) }
  }

  close(): void {
    this.#current.disable()
  }
}

function started(): IntervalHistogram {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  histogram.enable()
  return histogram
}

/** Node records the time between two ticks of its sampling timer, so an idle loop reads as the resolution itself. */
function delayMs(recordedNs: number): number {
  return Math.max(0, recordedNs / 1e6 - RESOLUTION_MS)
}
