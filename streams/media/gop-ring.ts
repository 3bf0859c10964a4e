/**
 * The packets since the last I-frame that was decoded, kept compressed while nothing is decoded. Session host only.
 * Owns its packets; bounded in number and bytes. Who needs more decodes.
 */
import type { Packet } from 'node-av'

/** A group of 10 s at 60 pictures a second, twice over. */
const MAX_PACKETS = 1200
/** A group of 10 s at 24 Mbit/s, the most that cameras of today send. */
const MAX_BYTES = 32 * 1024 * 1024

export class GopRing implements Disposable {
  #packets: Packet[] = []
  #bytes: number[] = []
  #sum = 0
  /** Where the last I-frame stands. */
  #lastKey = 0

  get length(): number {
    return this.#packets.length
  }

  get first(): Packet | undefined {
    return this.#packets[0]
  }

  /** Nothing but I-frames, as far as can be seen. */
  get endsWithKey(): boolean {
    return this.#lastKey === this.#packets.length - 1
  }

  /** Another packet would be one too many. */
  get full(): boolean {
    return this.#packets.length >= MAX_PACKETS || this.#sum >= MAX_BYTES
  }

  /** The packet is the ring's from now on. */
  push(packet: Packet, bytes: number, key: boolean): void {
    if (key) this.#lastKey = this.#packets.length
    this.#packets.push(packet)
    this.#bytes.push(bytes)
    this.#sum += bytes
  }

  /** The packets in the order they came; they are the caller's now. */
  takeAll(): Packet[] {
    this.#sum = 0
    this.#lastKey = 0
    this.#bytes = []
    return this.#packets.splice(0)
  }

  /** Frees all but the last group; how many those were. */
  forgetEarlier(): number {
    for (const bytes of this.#bytes.splice(0, this.#lastKey)) this.#sum -= bytes
    const earlier = this.#packets.splice(0, this.#lastKey)
    this.#lastKey = 0
    for (const packet of earlier) packet.free()
    return earlier.length
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
