/**
 * One operation at a time: what stands in the same lane runs in the order it was queued.
 * Runs in the daemon. Has no deadline of its own; every operation put on it must be bounded or interruptible.
 */
export class Lane {
  #last: Promise<unknown> = Promise.resolve()

  /** Runs `operation` after all queued before it, whether those failed or not; settles as it does. */
  run<T>(operation: () => T | Promise<T>): Promise<T> {
    const result = this.#last.then(operation, operation)
    this.#last = result
    return result
  }
}
