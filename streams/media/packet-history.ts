/**
 * The packets since the last two I-frames, so that another decoder can take over where one failed. Session host only.
 * Two, because a decoder may still hold pictures of before the last one. The packets' bytes are shared with their owners.
 */
import type { Packet } from 'node-av'

/** Two groups of 10 s at 16 Mbit/s; a longer group is not kept, and a take-over waits for the next I-frame. */
const MAX_BYTES = 40 * 1024 * 1024

export class PacketHistory implements Disposable {
  readonly #groups: Packet[][] = []
  #bytes = 0
  /** The last group is not whole. */
  #broken = true

  /** The packet's own copy, which the history keeps: for a call that may hang, while the packet goes on to others. */
  add(packet: Packet): Packet {
    const copy = packet.clone()
    if (!copy) throw new Error('no memory for a packet')
    if (packet.isKeyframe || this.#groups.length === 0) this.#begin(packet.isKeyframe)
    this.#groups.at(-1)!.push(copy)
    this.#bytes += copy.size
    while (this.#bytes > MAX_BYTES && this.#groups.length > 1) this.#forget()
    if (this.#bytes > MAX_BYTES || this.#broken) this.#keepLastOnly()
    return copy
  }

  /** Oldest first, from an I-frame on; empty when that is not there any more. The history keeps them. */
  packets(): Packet[] {
    return this.#broken ? [] : this.#groups.flat()
  }

  /** All that it keeps, which is the caller's from now on. */
  take(): Packet[] {
    const packets = this.#groups.splice(0).flat()
    this.#bytes = 0
    this.#broken = true
    return packets
  }

  clear(): void {
    while (this.#groups.length > 0) this.#forget()
    this.#broken = true
  }

  [Symbol.dispose](): void {
    this.clear()
  }

  #begin(whole: boolean): void {
    if (this.#broken) this.clear()
    this.#broken = !whole
    this.#groups.push([])
    if (this.#groups.length > 2) this.#forget()
  }

  #keepLastOnly(): void {
    this.#broken = true
    const group = this.#groups[0]!
    this.#free(group.splice(0, group.length - 1))
  }

  #forget(): void {
    this.#free(this.#groups.shift()!)
  }

  #free(packets: readonly Packet[]): void {
    for (const packet of packets) {
      this.#bytes -= packet.size
      packet.free()
    }
  }
}
