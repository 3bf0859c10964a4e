/**
 * Back-pressure from the end of the graph to where frames enter it: at most `limit` are on their way at once.
 * RxJS has none of its own (`mergeMap(f, 1)` queues without bound, FACTS). Session host only.
 */
export class Admission {
  readonly limit: number
  #held = 0
  #waiting = new Set<() => void>()

  constructor(limit: number) {
    this.limit = limit
  }

  get held(): number {
    return this.#held
  }

  /** Resolves when one more may enter, or `signal` is aborted. For one reader, who enters later by `enter`. */
  room(signal?: AbortSignal): Promise<void> {
    return this.below(this.limit, signal)
  }

  /** Resolves when fewer than `frames` are on their way, or `signal` is aborted. */
  async below(frames: number, signal?: AbortSignal): Promise<void> {
    while (this.#held >= frames && !signal?.aborted) await this.#change(signal)
  }

  enter(): void {
    this.#held++
  }

  /** Enters as soon as there is room; several may wait. */
  async acquire(): Promise<void> {
    while (this.#held >= this.limit) await this.#change()
    this.#held++
  }

  leave(): void {
    this.#held--
    for (const resume of [...this.#waiting]) resume()
  }

  #change(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const resume = () => {
        this.#waiting.delete(resume)
        signal?.removeEventListener('abort', resume)
        resolve()
      }
      this.#waiting.add(resume)
      signal?.addEventListener('abort', resume, { once: true })
    })
  }
}
