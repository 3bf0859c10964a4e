/**
 * Looks for ONVIF cameras around: WS-Discovery probes by multicast, answers until the time is over. Commands, and the daemon for
 * its `discover` command. Owns the time that it takes; what is read of the answers is bounded in found-devices.
 */
import { randomUUID } from 'node:crypto'
import { networkInterfaces } from 'node:os'
import { type Clock, systemClock } from '../../../core/clock.ts'
import { FoundDevices } from './found-devices.ts'
import { buildProbe, type DiscoveredDevice } from './probe-match.ts'
import { Prober, type UdpAddress } from './prober.ts'

export interface DiscoverOptions {
  /** How long answers are awaited. Devices may wait half a second before they answer; probes are repeated for about 2 s. */
  timeoutMs: number
  /** Ends it early, with what was found until then. */
  signal?: AbortSignal
  /** An IPv4 address of this machine: look on its network only; on all of them otherwise. */
  interfaceAddress?: string
  /** Where probes go; the group of WS-Discovery unless told. */
  target?: UdpAddress
  /** Ends as soon as so many devices are known, 256 at most and unless told. */
  limit?: number
  clock?: Clock
}

/** WS-Discovery §2.4. */
const GROUP: UdpAddress = { address: '239.255.255.250', port: 3702 }

/** In the order of their answers. Errors: SRC_UNREACHABLE when no network of this machine takes a probe. */
export async function discoverOnvif(options: DiscoverOptions): Promise<DiscoveredDevice[]> {
  const { timeoutMs, signal, interfaceAddress, target, clock = systemClock } = options
  if (signal?.aborted) return []
  const messageId = `urn:uuid:${randomUUID()}`
  const found = new FoundDevices(messageId, options.limit)
  const ended = Promise.withResolvers<unknown>()
  signal?.addEventListener('abort', ended.resolve, { once: true })
  const timer = clock.after(timeoutMs, () => ended.resolve(undefined))
  const prober = new Prober({
    probe: Buffer.from(buildProbe(messageId)),
    target: target ?? GROUP,
    interfaces: interfaceAddress ? [interfaceAddress] : target ? ['0.0.0.0'] : ownAddresses(),
    clock,
    onAnswer(answer, from) {
      found.take(answer, from)
      if (found.full) ended.resolve(undefined)
    },
  })
  try {
    await Promise.race([ended.promise, prober.start()])
    await ended.promise
  } finally {
    timer.cancel()
    signal?.removeEventListener('abort', ended.resolve)
    await prober[Symbol.asyncDispose]()
  }
  return found.devices
}

/** One IPv4 address for each network that leads out of this machine. */
function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address)
}
