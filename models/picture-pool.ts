/**
 * Memory for pictures on their way through the engine: shared with the inference thread, so that nothing is copied or
 * handed over, and used again, so that steady work allocates nothing. Runs in the engine host's I/O thread. Bounded in
 * what it keeps; what is out is bounded by the sessions' credits.
 */

/** Of memory that nobody uses, all sizes together: 90 pictures of 640×360. */
const MAX_FREE_BYTES = 64 * 1024 * 1024
/** Sizes are rounded up to one of eight steps between two powers of two: at most an eighth is unused. */
const STEPS = 8
const MIN_CLASS_BYTES = 4096

export class PicturePool {
  readonly #maxFreeBytes: number
  /** Free memory by size class; the class used last comes last. */
  readonly #free = new Map<number, SharedArrayBuffer[]>()
  readonly #out = new WeakSet<ArrayBufferLike>()
  #freeBytes = 0
  #allocations = 0

  constructor(maxFreeBytes: number = MAX_FREE_BYTES) {
    this.#maxFreeBytes = maxFreeBytes
  }

  get freeBytes(): number {
    return this.#freeBytes
  }

  /** How often fresh memory was needed. */
  get allocations(): number {
    return this.#allocations
  }

  /** `bytes` bytes with whatever was in them. */
  take(bytes: number): Uint8Array {
    const size = sizeClass(bytes)
    const free = this.#free.get(size)
    let memory = free?.pop()
    if (free?.length === 0) this.#free.delete(size)
    if (memory === undefined) {
      memory = new SharedArrayBuffer(size)
      this.#allocations++
    } else {
      this.#freeBytes -= size
    }
    this.#out.add(memory)
    return new Uint8Array(memory, 0, bytes)
  }

  /** Gives memory of `take` back: nobody may touch it any more. Throws when it was given back before. */
  give({ buffer }: Uint8Array): void {
    if (!this.#out.delete(buffer)) throw new Error('picture memory was given back twice, or is not from this pool')
    const size = buffer.byteLength
    const free = this.#free.get(size) ?? []
    this.#free.delete(size)
    this.#free.set(size, free)
    free.push(buffer as SharedArrayBuffer)
    this.#freeBytes += size
    while (this.#freeBytes > this.#maxFreeBytes) this.#dropOldest()
  }

  #dropOldest(): void {
    const [size, free] = this.#free.entries().next().value!
    free.pop()
    this.#freeBytes -= size
    if (free.length === 0) this.#free.delete(size)
  }
}

function sizeClass(bytes: number): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(bytes)) - Math.log2(STEPS))
  return Math.max(MIN_CLASS_BYTES, Math.ceil(bytes / step) * step)
}
