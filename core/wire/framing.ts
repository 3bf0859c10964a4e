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

/** Memory for one payload of exactly `bytes` bytes, which is more than 0. */
export type AllocatePayload = (bytes: number) => Uint8Array

/**
 * Cuts a byte stream into frames. Each payload is memory that the receiver owns: fresh, or from `allocate`. A payload that
 * never completes is left to the garbage collector.
 */
export class FrameReader<H> {
  readonly #allocate: AllocatePayload
  readonly #prefix = Buffer.alloc(PREFIX_BYTES)
  /** Grows to the largest header seen. */
  #header = Buffer.alloc(0)
  #headerBytes = 0
  #payload: Uint8Array = new Uint8Array(0)
  #stage: 'prefix' | 'header' | 'payload' = 'prefix'
  #filled = 0

  constructor(allocate: AllocatePayload = (bytes) => new Uint8Array(bytes)) {
    this.#allocate = allocate
  }

  /** Frames completed by `chunk`, in order. Throws ENG_PROTOCOL on a frame beyond the limits or a bad header. */
  push(chunk: Uint8Array): WireFrame<H>[] {
    const frames: WireFrame<H>[] = []
    let offset = 0
    for (;;) {
      const [target, length] = this.#target()
      const take = Math.min(length - this.#filled, chunk.length - offset)
      target.set(chunk.subarray(offset, offset + take), this.#filled)
      this.#filled += take
      offset += take
      if (this.#filled < length) return frames
      this.#filled = 0
      if (this.#stage === 'prefix') {
        this.#begin()
        this.#stage = 'header'
      } else if (this.#stage === 'header' && this.#payload.length > 0) {
        this.#stage = 'payload'
      } else {
        frames.push(this.#finish())
        this.#stage = 'prefix'
      }
    }
  }

  #target(): [Uint8Array, number] {
    if (this.#stage === 'prefix') return [this.#prefix, PREFIX_BYTES]
    if (this.#stage === 'header') return [this.#header, this.#headerBytes]
    return [this.#payload, this.#payload.length]
  }

  #begin(): void {
    this.#headerBytes = this.#prefix.readUInt32LE(0)
    const payloadBytes = this.#prefix.readUInt32LE(4)
    if (this.#headerBytes === 0 || this.#headerBytes > MAX_HEADER_BYTES || payloadBytes > MAX_PAYLOAD_BYTES) {
      throw new GrabberError('ENG_PROTOCOL', `a frame announces ${this.#headerBytes} + ${payloadBytes} bytes`)
    }
    if (this.#headerBytes > this.#header.length) this.#header = Buffer.alloc(this.#headerBytes)
    this.#payload = payloadBytes === 0 ? new Uint8Array(0) : this.#allocate(payloadBytes)
  }

  #finish(): WireFrame<H> {
    const payload = this.#payload
    this.#payload = new Uint8Array(0)
    const text = this.#header.toString('utf8', 0, this.#headerBytes)
    try {
      return { header: JSON.parse(text) as H, payload }
    } catch (cause) {
      throw new GrabberError('ENG_PROTOCOL', 'a frame header is not JSON', { cause })
    }
  }
}
