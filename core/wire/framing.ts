/**
 * Length-prefixed frames on a byte stream: `u32le headerBytes, u32le payloadBytes, header JSON (UTF-8), payload`.
 * Owns no socket. A frame over the limits is a protocol error, so that a stray client cannot make us allocate.
 */
import { GrabberError } from '../errors.ts'

const PREFIX_BYTES = 8
export const MAX_HEADER_BYTES = 64 * 1024
/** A 4096×4096 RGB picture. */
export const MAX_PAYLOAD_BYTES = 4096 * 4096 * 3

export interface WireFrame<H> {
  header: H
  payload: Uint8Array
}

/** The chunks to write, in order. The payload is not copied: it must stay unchanged until it was written. */
export function encodeFrame(header: object, payload: Uint8Array = new Uint8Array(0)): [Uint8Array, Uint8Array] {
  const text = Buffer.from(JSON.stringify(header))
  const head = Buffer.allocUnsafe(PREFIX_BYTES + text.length)
  head.writeUInt32LE(text.length, 0)
  head.writeUInt32LE(payload.byteLength, 4)
  text.copy(head, PREFIX_BYTES)
  return [head, payload]
}

/** Cuts a byte stream into frames. Each payload is a fresh buffer that the receiver owns. */
export class FrameReader<H> {
  #prefix = Buffer.alloc(PREFIX_BYTES)
  #body: Buffer | undefined
  #headerBytes = 0
  #filled = 0

  /** Frames completed by `chunk`, in order. Throws ENG_PROTOCOL on a frame beyond the limits or a bad header. */
  push(chunk: Uint8Array): WireFrame<H>[] {
    const frames: WireFrame<H>[] = []
    let offset = 0
    for (;;) {
      const target = this.#body ?? this.#prefix
      const take = Math.min(target.length - this.#filled, chunk.length - offset)
      target.set(chunk.subarray(offset, offset + take), this.#filled)
      this.#filled += take
      offset += take
      if (this.#filled < target.length) return frames
      this.#filled = 0
      if (this.#body === undefined) {
        this.#body = this.#allocate()
      } else {
        frames.push(this.#finish(this.#body))
        this.#body = undefined
      }
    }
  }

  #allocate(): Buffer {
    this.#headerBytes = this.#prefix.readUInt32LE(0)
    const payloadBytes = this.#prefix.readUInt32LE(4)
    if (this.#headerBytes === 0 || this.#headerBytes > MAX_HEADER_BYTES || payloadBytes > MAX_PAYLOAD_BYTES) {
      throw new GrabberError('ENG_PROTOCOL', `a frame announces ${this.#headerBytes} + ${payloadBytes} bytes`)
    }
    // Its own ArrayBuffer, so that a worker can be handed it without a copy.
    return Buffer.from(new ArrayBuffer(this.#headerBytes + payloadBytes))
  }

  #finish(body: Buffer): WireFrame<H> {
    const text = body.toString('utf8', 0, this.#headerBytes)
    try {
      return { header: JSON.parse(text) as H, payload: body.subarray(this.#headerBytes) }
    } catch (cause) {
      throw new GrabberError('ENG_PROTOCOL', 'a frame header is not JSON', { cause })
    }
  }
}
