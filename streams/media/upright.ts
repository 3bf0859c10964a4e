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

/** The other four orientations of EXIF: as ffmpeg's own autorotation has them (fftools/ffmpeg_filter.c). */
const mirroredSteps: Record<Rotation, FilterStep[]> = {
  0: [['vflip', '']],
  90: [['transpose', 'dir=cclock_flip']],
  180: [['hflip', '']],
  270: [['transpose', 'dir=clock_flip']],
}

export class Upright implements Disposable {
  readonly #steps: FilterStep[] | undefined
  #chain: FilterChain | undefined

  constructor(rotation: Rotation, mirrored = false) {
    if (mirrored) this.#steps = mirroredSteps[rotation]
    else if (rotation !== 0) this.#steps = steps[rotation]
  }

  /** The upright frame; takes `frame` over, frees it when another one is given back. Errors: DEC_FAILED. */
  turn(frame: Frame): Frame {
    if (!this.#steps) return frame
    try {
      return this.#chainFor(frame, this.#steps).run(frame)
    } finally {
      frame.free()
    }
  }

  [Symbol.dispose](): void {
    this.#chain?.[Symbol.dispose]()
    this.#chain = undefined
  }

  #chainFor(frame: Frame, turn: FilterStep[]): FilterChain {
    if (this.#chain?.fits(frame)) return this.#chain
    this[Symbol.dispose]()
    this.#chain = new FilterChain(frame, turn)
    return this.#chain
  }
}
