/** A real HTTP server that serves one file, well or badly. Test support. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What one request is answered with; the last one of the list answers all that follow. */
export type Behaviour =
  | 'serve'
  | 'ignore-range'
  /** Breaks the connection after so many bytes, once `arrived`: what is under way then may be lost. */
  | { cutAfter: number; arrived?: () => Promise<void> }
  | { status: number; headers?: Record<string, string> }
  | { redirect: string }
  | { body: string; type?: string }
  /** content-length says `claim`, whatever comes. */
  | { claim: number; send: number }
  /** 206 for another range than was asked for. */
  | 'wrong-range'
  /** Sends the head, or this many bytes, and then nothing. */
  | { stallAfter: number }

export interface Asked {
  path: string
  range: string | undefined
  ifRange: string | undefined
}

export class ModelServer implements AsyncDisposable {
  readonly asked: Asked[] = []
  etag = '"one"'
  content: Buffer
  readonly #server: Server
  readonly #behaviours: Behaviour[]
  #open = 0

  private constructor(content: Buffer, behaviours: Behaviour[]) {
    this.content = content
    this.#behaviours = behaviours
    this.#server = createServer((request, response) => {
      this.#open++
      response.on('close', () => this.#open--)
      this.#answer(request, response)
    })
  }

  static async start(content: Buffer, ...behaviours: Behaviour[]): Promise<ModelServer> {
    const server = new ModelServer(content, behaviours)
    await new Promise<void>((done) => server.#server.listen(0, '127.0.0.1', done))
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/one.onnx`
  }

  /** Answers that are being sent. */
  get open(): number {
    return this.#open
  }

  /** What the next requests are answered with. */
  next(...behaviours: Behaviour[]): void {
    this.#behaviours.splice(0, Number.POSITIVE_INFINITY, ...behaviours)
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { range, 'if-range': ifRange } = request.headers
    this.asked.push({ path: request.url ?? '', range, ifRange: ifRange as string | undefined })
    const behaviour = this.#behaviours.length > 1 ? this.#behaviours.shift()! : (this.#behaviours[0] ?? 'serve')
    const total = this.content.length
    const from = range === undefined ? 0 : Number(/^bytes=(\d+)-$/.exec(range)?.[1])
    const changed = ifRange !== undefined && ifRange !== this.etag
    if (typeof behaviour === 'object' && 'status' in behaviour) {
      response.writeHead(behaviour.status, behaviour.headers).end('no')
    } else if (typeof behaviour === 'object' && 'redirect' in behaviour) {
      response.writeHead(302, { location: behaviour.redirect }).end()
    } else if (typeof behaviour === 'object' && 'body' in behaviour) {
      response.writeHead(200, { 'content-type': behaviour.type ?? 'text/plain' }).end(behaviour.body)
    } else if (typeof behaviour === 'object' && 'claim' in behaviour) {
      response.writeHead(200, { 'content-length': behaviour.claim })
      response.write(Buffer.alloc(behaviour.send, 1), () => response.socket?.end())
    } else if (behaviour === 'wrong-range') {
      response.writeHead(206, { 'content-range': `bytes ${from + 1}-${total - 1}/${total}`, etag: this.etag })
      response.end(this.content.subarray(from + 1))
    } else if (range !== undefined && from >= total && behaviour === 'serve') {
      response.writeHead(416, { 'content-range': `bytes */${total}` }).end()
    } else {
      const start = behaviour === 'ignore-range' || changed ? 0 : from
      const head = { 'content-length': total - start, etag: this.etag }
      if (start > 0) response.writeHead(206, { ...head, 'content-range': `bytes ${start}-${total - 1}/${total}` })
      else response.writeHead(200, head)
      const body = this.content.subarray(start)
      if (typeof behaviour === 'object' && 'cutAfter' in behaviour) {
        const { cutAfter, arrived } = behaviour
        response.write(body.subarray(0, cutAfter), () => {
          const broken = () => response.socket?.resetAndDestroy()
          void (arrived?.() ?? Promise.resolve()).then(broken)
        })
      } else if (typeof behaviour === 'object') {
        response.flushHeaders()
        response.write(body.subarray(0, behaviour.stallAfter))
      } else response.end(body)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((done) => this.#server.close(done))
  }
}
