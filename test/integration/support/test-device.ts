/**
 * A device whose decoder is real (FFmpeg's own, behind the hardware's interface) and that fails when it is told to. Test support.
 */
import { Codec, type Frame, type Packet, type Stream } from 'node-av'
import { AVERROR_EXTERNAL, AVERROR_INVALIDDATA } from 'node-av/constants'
import { type DecodingContext, SoftwareContext } from '../../../streams/media/decoding-context.ts'
import type { HardwareDevice } from '../../../streams/media/hardware-devices.ts'

export interface Fault {
  /** While it opens, at its first picture, or at its nth packet (the one it is tried with counts). */
  at: 'open' | 'first' | number
  /** `blind`: it says that the stream is bad, from then on. */
  how: 'refuse' | 'hang' | 'blind'
}

export class TestDevice implements HardwareDevice {
  readonly name: string
  packets = 0
  closed = 0
  flushes = 0
  readonly #fault: Fault | undefined
  readonly #onHang: () => void

  /** `onHang` is called once a call hangs. */
  constructor(name: string, fault?: Fault, onHang: () => void = () => undefined) {
    this.name = name
    this.#fault = fault
    this.#onHang = onHang
  }

  readonly unseen = () => undefined

  async open(stream: Stream): Promise<DecodingContext> {
    if (this.#fault?.at === 'open') {
      if (this.#fault.how === 'hang') return this.#hang()
      throw new Error('the driver is not there')
    }
    const codec = Codec.findDecoder(stream.codecpar.codecId)!
    const context = await SoftwareContext.open(stream, codec, 1)
    return {
      send: (packet) => (packet ? this.#send(context, packet) : context.send(null)),
      receive: (frame: Frame) => context.receive(frame),
      flush: () => {
        this.flushes++
        context.flush()
      },
      [Symbol.dispose]: () => {
        this.closed++
        context[Symbol.dispose]()
      },
    }
  }

  async #send(context: SoftwareContext, packet: Packet): Promise<number> {
    this.packets++
    const fault = this.#fault
    const due = fault?.at === 'first' || (typeof fault?.at === 'number' && this.packets >= fault.at)
    if (!fault || !due) return context.send(packet)
    if (fault.how === 'hang') return this.#hang()
    return fault.how === 'blind' ? AVERROR_INVALIDDATA : AVERROR_EXTERNAL
  }

  #hang(): Promise<never> {
    queueMicrotask(this.#onHang)
    return new Promise(() => undefined)
  }
}
