/**
 * What takes packets and gives pictures in memory: one codec context, in software here, on a device in hardware-context.
 * Session host only. Calls are native and may hang: whoever makes them limits them (decoder).
 */
import { type Codec, CodecContext, type Frame, type Packet, type Stream } from 'node-av'
import { expectStatus } from './ffmpeg-status.ts'
import { MAX_PICTURE_PX } from './picture-limit.ts'

export interface DecodingContext extends Disposable {
  /** FFmpeg's status; `null` drains. */
  send(packet: Packet | null): Promise<number>
  /** The next picture into `frame`, in memory of this process; FFmpeg's status, at once where nothing is to be waited for. */
  receive(frame: Frame): number | Promise<number>
  /** Forgets what was sent and not given back, and the end of the stream. */
  flush(): void
}

export class SoftwareContext implements DecodingContext {
  readonly #context: CodecContext
  /**
   * With one thread a packet's picture is decoded while the packet is sent, and receiving hands over what is there (in VP9
   * and AV1 it may decode the rest of a packet): two of four hops to the thread pool are saved for each frame, 0.2 ms. With more
   * threads, receiving waits for them, and must not hold the event loop.
   */
  readonly #receivesAtOnce: boolean

  private constructor(context: CodecContext, threads: number) {
    this.#context = context
    this.#receivesAtOnce = threads === 1
  }

  /** `threads` 0 lets FFmpeg choose. Errors: DEC_UNSUPPORTED. */
  static async open(stream: Stream, codec: Codec, threads: number): Promise<SoftwareContext> {
    const context = newContext(stream, codec)
    context.threadCount = threads
    expectStatus(await context.open2(codec, null), 'DEC_UNSUPPORTED', `decoder ${codec.name} cannot be opened`)
    return new SoftwareContext(context, threads)
  }

  send(packet: Packet | null): Promise<number> {
    return this.#context.sendPacket(packet)
  }

  receive(frame: Frame): number | Promise<number> {
    return this.#receivesAtOnce ? this.#context.receiveFrameSync(frame) : this.#context.receiveFrame(frame)
  }

  flush(): void {
    this.#context.flushBuffers()
  }

  [Symbol.dispose](): void {
    this.#context.freeContext()
  }
}

/** A context with the parameters of `stream`, not yet opened. Errors: DEC_UNSUPPORTED. */
export function newContext(stream: Stream, codec: Codec): CodecContext {
  const context = new CodecContext()
  context.allocContext3(codec)
  expectStatus(context.parametersToContext(stream.codecpar), 'DEC_UNSUPPORTED', 'codec parameters are not usable')
  context.pktTimebase = stream.timeBase
  // A stream may grow in the middle: such pictures are damage.
  expectStatus(context.setOption('max_pixels', String(MAX_PICTURE_PX)), 'DEC_UNSUPPORTED', 'the picture limit')
  return context
}
