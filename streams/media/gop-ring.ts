/**
 * The packets since the last I-frame, kept compressed while nothing is decoded. Session host only.
 * Owns its packets; bounded in number and bytes. Who needs more decodes.
 */
import type { Packet } from 'node-av'

/** A group of 10 s at 60 pictures a second, twice over. */
const MAX_PACKETS = 1200
/** A group of 10 s at 24 Mbit/s, the most that cameras of today send. */
const MAX_BYTES = 32 * 1024 * 1024

export class GopRing implements Disposable {
  #packets: Packet[] = []
  #bytes = 0

  get length(): number {
    return this.#packets.length
  }

  /** Another packet would be one too many. */
  get full(): boolean {
    return this.#packets.length >= MAX_PACKETS || this.#bytes >= MAX_BYTES
  }

  /** Keeps a reference to the packet's data; the packet stays the caller's. */
  push(packet: Packet): void {
    const kept = packet.clone()
    if (!kept) throw new Error('no memory for a packet')
    this.#packets.push(kept)
    this.#bytes += kept.size
  }

  /** The packets in the order they came; they are the caller's now. */
  takeAll(): Packet[] {
    this.#bytes = 0
    return this.#packets.splice(0)
  }

  /** Frees them all; how many there were. */
  clear(): number {
    const packets = this.takeAll()
    for (const packet of packets) packet.free()
    return packets.length
  }

  [Symbol.dispose](): void {
    this.clear()
  }
}
