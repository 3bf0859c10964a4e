/**
 * What is done to each decoded picture before anything looks at it: HDR made SDR where that is asked for, then turned upright.
 * Session host only. Done once on the full frame, so that everything behind it knows one colour space and one orientation.
 */
import type { Frame } from 'node-av'
import type { Rotation } from './frame-rotation.ts'
import { ToneMapper } from './tone-mapper.ts'
import { Upright } from './upright.ts'

export class Finish implements Disposable {
  readonly #upright: Upright
  readonly #mapper: ToneMapper | undefined

  constructor(rotation: Rotation, tonemap: boolean) {
    this.#upright = new Upright(rotation)
    if (tonemap) this.#mapper = new ToneMapper()
  }

  /** The finished frame; takes `frame` over, frees it when another one is given back. Errors: DEC_FAILED. */
  of(frame: Frame): Frame {
    return this.#upright.turn(this.#mapper?.map(frame) ?? frame)
  }

  [Symbol.dispose](): void {
    this.#mapper?.[Symbol.dispose]()
    this.#upright[Symbol.dispose]()
  }
}
