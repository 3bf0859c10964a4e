/**
 * Work on many items, a few at a time, in the order in which they came. Runs in commands. Knows nothing of what the work is.
 */

export interface QueueOptions<T> {
  /** Items at work at the same time, at least 1. */
  parallel: number
  /** Aborted: what waits is not begun any more; what is at work ends as it sees fit. */
  signal: AbortSignal
  /** A throw is for the whole queue: nothing more is begun. What an item may fail with is its own business. */
  work(item: T): Promise<void>
}

export class JobQueue<T> {
  readonly #options: QueueOptions<T>
  #waiting: T[] = []
  #active = 0
  #failure: { error: unknown } | undefined
  #idle: (() => void)[] = []

  constructor(options: QueueOptions<T>) {
    this.#options = options
  }

  /** Begun by now, if there is room. */
  add(item: T): void {
    this.#waiting.push(item)
    this.#fill()
  }

  /** Those that are not begun yet, or never will be. */
  get waiting(): readonly T[] {
    return this.#waiting
  }

  /** Resolves when nothing is at work and nothing will be begun; rejects with what `work` threw first. */
  async idle(): Promise<void> {
    while (this.#active > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
    if (this.#failure) throw this.#failure.error
  }

  #fill(): void {
    const { parallel, signal } = this.#options
    while (this.#active < parallel && this.#waiting.length > 0 && !this.#failure && !signal.aborted) {
      this.#active++
      void this.#run(this.#waiting.shift() as T)
    }
  }

  async #run(item: T): Promise<void> {
    try {
      await this.#options.work(item)
    } catch (error) {
      this.#failure ??= { error }
    } finally {
      this.#active--
      this.#fill()
      if (this.#active === 0) for (const resolve of this.#idle.splice(0)) resolve()
    }
  }
}
