/**
 * One connection from a session host to one engine incarnation: hello, welcome, frames both ways. Runs in session hosts.
 * Knows nothing of requests; once closed it stays closed.
 */
import { createConnection, type Socket } from 'node:net'
import { z } from 'zod'
import { type ErrorCode, errorTable } from '../core/error-table.ts'
import type { InferResult } from '../core/ports.ts'
import type { EngineEndpoint } from '../core/wire/control.ts'
import { ENGINE_PROTOCOL, type FromEngineSocket, type ToEngineSocket } from '../core/wire/engine.ts'
import { encodeFrame, FrameReader, type WireFrame } from '../core/wire/framing.ts'

const count = z.int().min(0)
const errorCode = z.custom<ErrorCode>((code) => typeof code === 'string' && Object.hasOwn(errorTable, code))
const incoming: z.ZodType<FromEngineSocket> = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('welcome'),
    incarnation: z.int(),
    credits: z.int().positive(),
  }),
  z.object({
    type: z.literal('result'),
    id: count,
    rows: count,
    columns: count,
  }),
  z.object({
    type: z.literal('error'),
    id: count,
    error: z.object({ code: errorCode, message: z.string(), remedy: z.string() }),
  }),
])

export type EngineAnswer =
  | { id: number; result: InferResult }
  | { id: number; error: Extract<FromEngineSocket, { type: 'error' }>['error'] }

export interface EngineConnectionOptions {
  endpoint: EngineEndpoint
  session: string
  priority: number
  /** Once, before any answer. */
  onWelcome: (credits: number) => void
  onAnswer: (answer: EngineAnswer) => void
  /** Once, however it ended; never after `close()`. */
  onClosed: () => void
}

export class EngineConnection {
  readonly #options: EngineConnectionOptions
  readonly #socket: Socket
  readonly #reader = new FrameReader<unknown>()
  #welcomed = false
  #closed = false

  constructor(options: EngineConnectionOptions) {
    this.#options = options
    this.#socket = createConnection(options.endpoint.socketPath)
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    // Refused, not there, reset: 'close' follows and does the work.
    this.#socket.on('error', () => this.#socket.destroy())
    this.#socket.on('close', () => this.#end())
    this.send({ type: 'hello', protocol: ENGINE_PROTOCOL, session: options.session, priority: options.priority })
  }

  /** `payload` is not copied: it must stay unchanged until the answer came. */
  send(header: ToEngineSocket, payload?: Uint8Array): void {
    const [head, body] = encodeFrame(header, payload)
    this.#socket.cork()
    this.#socket.write(head)
    if (body.byteLength > 0) this.#socket.write(body)
    this.#socket.uncork()
  }

  close(): void {
    this.#closed = true
    this.#socket.destroy()
  }

  #receive(chunk: Buffer): void {
    let valid: boolean
    try {
      // One frame's handler may close the connection; the rest of the chunk is then nobody's.
      valid = this.#reader.push(chunk).every((frame) => this.#closed || this.#take(frame))
    } catch {
      valid = false
    }
    if (!valid) this.#socket.destroy()
  }

  /** False when the engine broke the protocol: the connection ends, and its requests are sent to the next one. */
  #take({ header, payload }: WireFrame<unknown>): boolean {
    const parsed = incoming.safeParse(header)
    if (!parsed.success) return false
    const message = parsed.data
    if (message.type === 'welcome') {
      if (this.#welcomed || message.incarnation !== this.#options.endpoint.incarnation) return false
      this.#welcomed = true
      this.#options.onWelcome(message.credits)
      return true
    }
    if (!this.#welcomed) return false
    if (message.type === 'error') {
      this.#options.onAnswer({ id: message.id, error: message.error })
      return true
    }
    const { id, rows, columns } = message
    if (payload.byteLength !== rows * columns * Float32Array.BYTES_PER_ELEMENT) return false
    // Copied, because the payload starts at any byte and float32 must not.
    const data = new Float32Array(new Uint8Array(payload).buffer)
    this.#options.onAnswer({ id, result: { rows, columns, data } })
    return true
  }

  #end(): void {
    if (this.#closed) return
    this.#closed = true
    this.#options.onClosed()
  }
}
