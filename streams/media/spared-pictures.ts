/**
 * Pictures of a recording that are not decoded, because nobody looks at them and nothing leans on them: of each slot of media time only
 * the first picture is a candidate. Session host only. Owns the times of what was spared until that is counted. Of an undamaged
 * recording what is looked at is the same as if everything were decoded, down to its number: that is why a picture is spared only when an
 * earlier one of its slot was sent to the decoder. Where that one turns out to be damaged, its slot has no candidate.
 */
import type { Packet } from 'node-av'
import { AV_PKT_DATA_NEW_EXTRADATA, AV_PKT_FLAG_CORRUPT, AV_PKT_FLAG_DISCARD } from 'node-av/constants'
import type { LoneTest } from './picture-references.ts'

export interface SparingOptions {
  isLone: LoneTest
  /** PTS of a packet in the stream's own time, ms; `null` when there is none. */
  timeOf(packet: Packet): number | null
  /** The slot of a time in the stream. Rises with it. */
  slotOf(ptsMs: number): number
}

const isOdd = (packet: Packet) => packet.hasFlags(AV_PKT_FLAG_DISCARD) || packet.hasFlags(AV_PKT_FLAG_CORRUPT)

export class SparedPictures {
  readonly #options: SparingOptions
  /** Of the first picture that came out; those before it (of a group that is cut off) may never do. */
  #sinceMs = Number.POSITIVE_INFINITY
  /** Earliest picture of each slot among those that are decoded. */
  readonly #firstMs = new Map<number, number>()
  /** Parameter sets came beside a packet, where nobody reads them. */
  #isLost = false
  /** Times of those that were spared and not counted. */
  #spared: number[] = []

  constructor(options: SparingOptions) {
    this.#options = options
  }

  /** Whether the next packet is left out. */
  spares(packet: Packet): boolean {
    const { isLone, timeOf, slotOf } = this.#options
    // Parameter sets are read of each packet.
    const lone = packet.data !== null && isLone(packet.data)
    const ptsMs = timeOf(packet)
    // What is to be discarded comes out of no decoder; what is damaged is the decoder's to judge.
    this.#isLost ||= packet.getSideData(AV_PKT_DATA_NEW_EXTRADATA) !== null
    if (ptsMs === null || this.#isLost || isOdd(packet)) return false
    const slot = slotOf(ptsMs)
    const firstMs = this.#firstMs.get(slot)
    if (lone && ptsMs > this.#sinceMs && firstMs !== undefined && firstMs < ptsMs) {
      this.#spared.push(ptsMs)
      return true
    }
    if (firstMs === undefined || ptsMs < firstMs) this.#firstMs.set(slot, ptsMs)
    return false
  }

  /** A picture has come out of the decoder: how many were spared before it. Each is counted once. */
  before(ptsMs: number | null): number {
    if (ptsMs === null) return 0
    if (this.#sinceMs === Number.POSITIVE_INFINITY) this.#sinceMs = ptsMs
    const slot = this.#options.slotOf(ptsMs)
    for (const earlier of this.#firstMs.keys()) if (earlier < slot) this.#firstMs.delete(earlier)
    return this.#count((sparedMs) => sparedMs < ptsMs)
  }

  /** The recording has ended: how many were spared behind its last picture. */
  rest(): number {
    return this.#count(() => true)
  }

  #count(isCounted: (sparedMs: number) => boolean): number {
    const left = this.#spared.filter((sparedMs) => !isCounted(sparedMs))
    const counted = this.#spared.length - left.length
    this.#spared = left
    return counted
  }
}
