/**
 * Time as a dependency: everything that waits or stamps takes a Clock, so that tests run on virtual time.
 * Runs in every process. Must never read a source's PTS: media time is data, not a clock.
 */

export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Wall-clock time, milliseconds since the Unix epoch. Jumps when the machine's clock is set. */
  nowMs(): number
  /** Monotonic time in milliseconds from an arbitrary origin; use it for every duration and deadline. */
  monotonicMs(): number
  after(delayMs: number, callback: () => void): Timer
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, callback) {
    const handle = setTimeout(callback, delayMs)
    return { cancel: () => clearTimeout(handle) }
  },
}

/** Resolves after `delayMs` on `clock`; rejects with the signal's reason when aborted first. */
export function delay(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = () => {
      timer.cancel()
      reject(signal?.reason)
    }
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/** Outcome of `promise`, or `undefined` when `limitMs` passed first. The promise itself goes on. */
export async function within<T>(clock: Clock, limitMs: number, promise: Promise<T>): Promise<{ value: T } | undefined> {
  let timer: Timer | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = clock.after(limitMs, () => resolve(undefined))
  })
  try {
    return await Promise.race([promise.then((value) => ({ value })), late])
  } finally {
    timer?.cancel()
  }
}
