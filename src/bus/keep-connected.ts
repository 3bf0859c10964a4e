/**
 * Connects to NATS again and again until told to stop: one link at a time, made anew, so that the first connection and
 * every later one mean the same. Runs in the daemon and in commands. The library's own reconnection is off: it keeps messages
 * and gives up at a second refused login.
 */
import { type Clock, delay } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import type { Logger } from '../../core/ports.ts'
import { NatsLink } from './nats-link.ts'
import type { NatsAddress } from './nats-url.ts'

/** Doubles from the first to the second; short enough for a restarted local server to be found within 5 s (L6). */
const RETRY_MIN_MS = 100
const RETRY_MAX_MS = 2000

export interface Connecting {
  /** Asked before each attempt: a restarted daemon's server may have another port. */
  address(): NatsAddress | Promise<NatsAddress>
  /** Shown in the server's list of connections. */
  name: string
  logger: Logger
  clock: Clock
  signal: AbortSignal
  /** Uses the link until it is over; a BUS_* error of it counts as a failed attempt. */
  serve(link: NatsLink): Promise<void>
  /** After each attempt that failed and each connection that ended; what it throws ends the loop. */
  onAway(error: GrabberError): void
}

/** Resolves when `signal` is aborted. Rejects with what is no coded error. */
export async function keepConnected(options: Connecting): Promise<void> {
  const { address, name, logger, clock, signal, serve, onAway } = options
  let waitMs = RETRY_MIN_MS
  let failures = 0
  while (!signal.aborted) {
    let shown = 'NATS'
    try {
      const where = await address()
      shown = where.shown
      const link = await NatsLink.connect(where, name)
      const connectedMs = clock.monotonicMs()
      try {
        // close() may have come while it connected: then there is no one left to serve.
        if (signal.aborted) return
        await serve(link)
      } finally {
        // A connection that is of no use at once is one more failure.
        if (clock.monotonicMs() - connectedMs > RETRY_MAX_MS) {
          failures = 0
          waitMs = RETRY_MIN_MS
        }
        await link.close(clock)
      }
      return
    } catch (error) {
      if (!(error instanceof GrabberError)) throw error
      if (signal.aborted) return
      onAway(error)
      // The first failure is news, the thousandth is not.
      if (failures++ === 0) logger.warn({ server: shown, reason: error.message }, 'NATS is away')
    }
    await delay(clock, waitMs, signal).catch(() => undefined)
    waitMs = Math.min(waitMs * 2, RETRY_MAX_MS)
  }
}
