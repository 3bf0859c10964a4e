/**
 * Bits of a NAL unit's payload, most significant first (ITU-T H.264, 7.2 and 9.1): bytes that only keep start codes away are passed over.
 * Pure; session host only.
 */
export class BitReader {
  readonly #bytes: Uint8Array
  #at = 0
  #bit = 0
  #zeros = 0

  /** The bytes behind the unit's header. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** More was read than there is, by a byte at least; zeros stand for what is missing. */
  get over(): boolean {
    return this.#at > this.#bytes.length
  }

  /** u(n), n ≤ 32. */
  read(bits: number): number {
    let value = 0
    for (let n = 0; n < bits; n++) value = value * 2 + this.#next()
    return value
  }

  /** ue(v). */
  golomb(): number {
    let zeros = 0
    while (this.#next() === 0 && zeros < 32 && !this.over) zeros++
    return 2 ** zeros - 1 + this.read(zeros)
  }

  #next(): number {
    if (this.#bit === 0 && this.#zeros >= 2 && this.#bytes[this.#at] === 3) {
      this.#at++
      this.#zeros = 0
    }
    const byte = this.#bytes[this.#at] ?? 0
    const bit = (byte >> (7 - this.#bit)) & 1
    if (++this.#bit === 8) {
      this.#bit = 0
      this.#at++
      this.#zeros = byte === 0 ? this.#zeros + 1 : 0
    }
    return bit
  }
}
