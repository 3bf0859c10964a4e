/**
 * Turns decoded frames upright, as the container's display matrix asks. Session host only.
 * Done once on the full frame, so that everything behind it knows one orientation only.
 */
import type { Frame } from 'node-av'
import { FilterChain, type FilterStep } from './filter-chain.ts'
import type { Rotation } from './frame-rotation.ts'

const steps: Record<Exclude<Rotation, 0>, FilterStep[]> = {
  90: [['transpose', 'dir=clock']],
  180: [
    ['hflip', ''],
    ['vflip', ''],
  ],
  270: [['transpose', 'dir=cclock']],
}

export class Upright implements Disposable {
  readonly #rotation: Rotation
  #chain: FilterChain | undefined

  constructor(rotation: Rotation) {
    this.#rotation = rotation
  }

  /** The upright frame; takes `frame` over, frees it when another one is given back. */
  turn(frame: Frame): Frame {
    if (this.#rotation === 0) return frame
    if (!this.#chain?.fits(frame)) {
      this.#chain?.[Symbol.dispose]()
      this.#chain = new FilterChain(frame, steps[this.#rotation])
    }
    const upright = this.#chain.run(frame)
    frame.free()
    return upright
  }

  [Symbol.dispose](): void {
    this.#chain?.[Symbol.dispose]()
  }
}
