/**
 * One session host's connection to the engine, seen from the engine: parses what arrives, keeps the credits, writes the
 * answers. Runs in engine hosts. Trusts nothing it reads: whatever is not the protocol ends this connection and no other.
 */
import type { Socket } from 'node:net'
import { z } from 'zod'
import { type CodedError, GrabberError, toGrabberError } from '../core/errors.ts'
import type { RgbPicture } from '../core/frame.ts'
import { ENGINE_PROTOCOL, type FromEngineSocket, type InferParams, MAX_PRIORITY } from '../core/wire/engine.ts'
import { type AllocatePayload, encodeFrame, FrameReader, type WireFrame } from '../core/wire/framing.ts'

/** Answers that a client has not read, beyond which it is cut off: it sends but never listens. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024

const incoming = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    protocol: z.literal(ENGINE_PROTOCOL),
    session: z.string().max(200),
    priority: z.number().min(0).max(MAX_PRIORITY),
  }),
  z.object({
    type: z.literal('infer'),
    id: z.int().min(0),
    model: z.string().max(200),
    width: z.int().positive(),
    height: z.int().positive(),
    params: z.record(z.string(), z.number()),
    attempt: z.int().min(1),
    expiresInMs: z.number().min(0).nullable(),
  }),
])

export interface InferRequest {
  id: number
  model: string
  /** In memory of `allocate`: whoever got the request gives it back. */
  picture: RgbPicture
  params: InferParams
  attempt: number
  expiresInMs: number | null
}

export interface TensorSessionOptions {
  /** Distinct in this process. */
  number: number
  socket: Socket
  welcome: Extract<FromEngineSocket, { type: 'welcome' }>
  /** Memory for a picture that arrives. */
  allocate: AllocatePayload
  /** Every request given here has to be answered once, with `result` or `error`. */
  onRequest: (session: TensorSession, request: InferRequest) => void
  /** The connection is over, for whatever reason; called once. Answers after it go nowhere. */
  onClosed: (session: TensorSession, reason: GrabberError | undefined) => void
}

export class TensorSession {
  readonly number: number
  readonly #options: TensorSessionOptions
  readonly #reader: FrameReader<unknown>
  readonly #open = new Set<number>()
  /** From `hello`; `undefined` before it. */
  #priority: number | undefined
  #closed = false

  constructor(options: TensorSessionOptions) {
    this.number = options.number
    this.#options = options
    this.#reader = new FrameReader(options.allocate)
    const { socket } = options
    // A reset by the peer; 'close' follows and does the work.
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#close(undefined))
  }

  /** Requests received and not yet answered. */
  get open(): number {
    return this.#open.size
  }

  /** 0–10. */
  get priority(): number {
    return this.#priority ?? 0
  }

  /** What came from the socket; the chunk is used no more when this returns. */
  receive(chunk: Uint8Array): void {
    if (this.#closed) return
    try {
      for (const frame of this.#reader.push(chunk)) {
        if (this.#closed) return
        this.#take(frame)
      }
    } catch (error) {
      this.#options.socket.destroy()
      this.#close(toGrabberError(error))
    }
  }

  result(header: Extract<FromEngineSocket, { type: 'result' }>, data: Float32Array): void {
    this.#answer(header, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  }

  error(id: number, error: CodedError): void {
    this.#answer({ type: 'error', id, error })
  }

  close(): void {
    this.#options.socket.destroy()
    this.#close(undefined)
  }

  #take({ header, payload }: WireFrame<unknown>): void {
    const parsed = incoming.safeParse(header)
    if (!parsed.success) throw violation(`a header is not one of the protocol: ${parsed.error.issues[0]?.message}`)
    const message = parsed.data
    if (message.type === 'hello') {
      if (this.#priority !== undefined) throw violation('a session said hello twice')
      this.#priority = message.priority
      this.#write(this.#options.welcome)
      return
    }
    if (this.#priority === undefined) throw violation('a session sent a request before its hello')
    const { id, model, width, height, params, attempt, expiresInMs } = message
    if (payload.byteLength !== 3 * width * height) {
      throw violation(`a ${width}×${height} picture came with ${payload.byteLength} bytes`)
    }
    if (this.#open.has(id)) throw violation(`the request id ${id} is in use`)
    if (this.#open.size >= this.#options.welcome.credits) throw violation('a session sent without a credit')
    this.#open.add(id)
    const picture = { width, height, data: payload }
    this.#options.onRequest(this, { id, model, picture, params, attempt, expiresInMs })
  }

  #answer(header: Extract<FromEngineSocket, { id: number }>, payload?: Uint8Array): void {
    if (this.#closed) return
    if (!this.#open.delete(header.id)) throw new Error(`request ${header.id} was answered twice`)
    this.#write(header, payload)
  }

  #write(header: FromEngineSocket, payload?: Uint8Array): void {
    const { socket } = this.#options
    const [head, body] = encodeFrame(header, payload)
    socket.cork()
    socket.write(head)
    if (body.byteLength > 0) socket.write(body)
    socket.uncork()
    if (socket.writableLength > MAX_UNREAD_BYTES) {
      socket.destroy()
      this.#close(violation('a session does not read its answers'))
    }
  }

  #close(reason: GrabberError | undefined): void {
    if (this.#closed) return
    this.#closed = true
    this.#open.clear()
    this.#options.onClosed(this, reason)
  }
}

function violation(what: string): GrabberError {
  return new GrabberError('ENG_PROTOCOL', what)
}
