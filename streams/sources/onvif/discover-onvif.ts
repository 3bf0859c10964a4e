/**
 * Looks for ONVIF cameras around: WS-Discovery probes by multicast, answers until the time is over. Commands, and the daemon for
 * its `discover` command. Bounded in time, devices and datagrams; what is malformed is ignored.
 */
import { randomUUID } from 'node:crypto'
import { networkInterfaces } from 'node:os'
import { type Clock, systemClock } from '../../../core/clock.ts'
import { buildProbe, type DiscoveredDevice, readProbeMatches } from './probe-match.ts'
import { Prober, type UdpAddress } from './prober.ts'

export interface DiscoverOptions {
  /** How long answers are awaited. Devices may wait half a second before they answer; probes are repeated for about 2 s. */
  timeoutMs: number
  /** Ends it early, with the signal's reason. */
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
const MAX_DEVICES = 256
/** Datagrams that are looked at; a flood must not cost more than about a second. */
const MAX_DATAGRAMS = 2048
const MAX_XADDRS = 16

/** In the order of their answers. Errors: SRC_UNREACHABLE when no network of this machine takes a probe. */
export async function discoverOnvif(options: DiscoverOptions): Promise<DiscoveredDevice[]> {
  const { timeoutMs, signal, interfaceAddress, target, clock = systemClock, limit = MAX_DEVICES } = options
  if (signal?.aborted) throw signal.reason
  const messageId = `urn:uuid:${randomUUID()}`
  const found = new Map<string, DiscoveredDevice>()
  const ended = Promise.withResolvers<void>()
  const onAbort = () => ended.reject(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  const timer = clock.after(timeoutMs, ended.resolve)
  let datagrams = 0
  const prober = new Prober({
    probe: Buffer.from(buildProbe(messageId)),
    target: target ?? GROUP,
    interfaces: interfaceAddress ? [interfaceAddress] : target ? ['0.0.0.0'] : ownAddresses(),
    clock,
    onAnswer(answer, from) {
      if (++datagrams > MAX_DATAGRAMS || found.size >= limit) return
      for (const device of readAnswer(answer, messageId, from)) keep(found, device)
      if (found.size >= Math.min(limit, MAX_DEVICES)) ended.resolve()
    },
  })
  try {
    await Promise.race([ended.promise, prober.start()])
    await ended.promise
  } finally {
    timer.cancel()
    signal?.removeEventListener('abort', onAbort)
    await prober[Symbol.asyncDispose]()
  }
  return [...found.values()].slice(0, limit)
}

/** Datagrams that are no ProbeMatches are somebody else's business. */
function readAnswer(answer: Buffer, messageId: string, from: string): DiscoveredDevice[] {
  try {
    return readProbeMatches(answer.toString('utf8'), messageId, from)
  } catch {
    return []
  }
}

/** A device answers each copy of the probe, and on each network: the first answer stands, later ones add addresses. */
function keep(found: Map<string, DiscoveredDevice>, device: DiscoveredDevice): void {
  const known = found.get(device.endpoint)
  if (known === undefined) found.set(device.endpoint, device)
  else known.xaddrs = [...new Set([...known.xaddrs, ...device.xaddrs])].slice(0, MAX_XADDRS)
}

/** One IPv4 address for each network that leads out of this machine. */
function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address)
}
