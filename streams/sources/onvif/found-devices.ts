/**
 * The devices that have answered a probe, each once. Wherever discovery runs, the daemon included: what strangers send must neither
 * hold its loop nor fill its memory.
 */
import { type DiscoveredDevice, readProbeMatches } from './probe-match.ts'

const MAX_DEVICES = 256
/** Answers have 1 to 4 kB; WS-Discovery knows none above 32 kB. */
const MAX_DATAGRAM_BYTES = 16 * 1024
/** In all: 256 devices that answer five copies of the probe. To read the worst of it takes about a second. */
const MAX_BYTES = 4 * 1024 * 1024
/** What a datagram costs whatever its length, as bytes. */
const OVERHEAD_BYTES = 256
/** A device that answers on several networks. */
const MAX_XADDRS = 16

export class FoundDevices {
  readonly #devices = new Map<string, DiscoveredDevice>()
  readonly #messageId: string
  readonly #limit: number
  #bytes = 0

  /** `messageId` is the probe's; more than `limit` devices are not kept. */
  constructor(messageId: string, limit = MAX_DEVICES) {
    this.#messageId = messageId
    this.#limit = Math.min(limit, MAX_DEVICES)
  }

  /** In the order of their answers. */
  get devices(): DiscoveredDevice[] {
    return [...this.#devices.values()]
  }

  get full(): boolean {
    return this.#devices.size >= this.#limit
  }

  /** What is no answer to the probe is somebody else's business. */
  take(datagram: Uint8Array, fromAddress: string): void {
    this.#bytes += OVERHEAD_BYTES + datagram.length
    if (this.#bytes > MAX_BYTES || datagram.length > MAX_DATAGRAM_BYTES) return
    for (const device of this.#read(datagram, fromAddress)) this.#keep(device)
  }

  #read(datagram: Uint8Array, fromAddress: string): DiscoveredDevice[] {
    try {
      return readProbeMatches(Buffer.from(datagram).toString('utf8'), this.#messageId, fromAddress)
    } catch {
      return []
    }
  }

  /** A device answers each copy of the probe, and on each network: the first answer stands, later ones add addresses. */
  #keep(device: DiscoveredDevice): void {
    const known = this.#devices.get(device.endpoint)
    if (known) known.xaddrs = [...new Set([...known.xaddrs, ...device.xaddrs])].slice(0, MAX_XADDRS)
    else if (!this.full) this.#devices.set(device.endpoint, device)
  }
}
