/** The door of the HTTP cameras of the tests: listening on loopback, TLS, and who may come in (RFC 7617 Basic, RFC 7616 Digest). */
import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { testCertificate } from './test-certificate.ts'

export interface DoorOptions {
  /** Who may come in; anybody, when there is none. */
  auth?: { kind: 'basic' | 'digest'; user: string; password: string }
  /** HTTPS with a certificate that nobody has signed. */
  tls?: boolean
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void

const REALM = 'camera'

export class HttpDoor implements AsyncDisposable {
  readonly #options: DoorOptions
  readonly #server: Server
  readonly #nonce = randomBytes(8).toString('hex')
  /** Requests that came in, and those that were refused for what they said about themselves. */
  admitted = 0
  refused = 0

  private constructor(options: DoorOptions, handler: Handler) {
    this.#options = options
    const answer: Handler = (request, response) => {
      response.on('error', () => undefined)
      if (this.#mayEnter(request)) {
        this.admitted++
        handler(request, response)
      } else {
        this.refused++
        response.writeHead(401, { 'www-authenticate': this.#challenge() }).end('who are you?')
      }
    }
    this.#server = options.tls ? createTlsServer(testCertificate(), answer) : createServer(answer)
  }

  static async open(options: DoorOptions, handler: Handler): Promise<HttpDoor> {
    const door = new HttpDoor(options, handler)
    await new Promise<void>((done) => door.#server.listen(0, '127.0.0.1', done))
    return door
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** With user and password where they are wanted, or with another password (`null`: none given); `port` of a FaultProxy in front. */
  url(path: string, { port = this.port, password = this.#options.auth?.password ?? null } = {}): string {
    const { auth, tls } = this.#options
    const who = auth === undefined || password === null ? '' : `${auth.user}:${password}@`
    return `${tls ? 'https' : 'http'}://${who}127.0.0.1:${port}${path}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((done) => this.#server.close(done))
  }

  #challenge(): string {
    return this.#options.auth?.kind === 'digest'
      ? `Digest realm="${REALM}", qop="auth", nonce="${this.#nonce}", algorithm=MD5`
      : `Basic realm="${REALM}"`
  }

  #mayEnter({ headers, method }: IncomingMessage): boolean {
    const { auth } = this.#options
    if (auth === undefined) return true
    const said = headers.authorization ?? ''
    if (auth.kind === 'basic') {
      return said === `Basic ${Buffer.from(`${auth.user}:${auth.password}`).toString('base64')}`
    }
    if (!said.startsWith('Digest ')) return false
    const field = (name: string) =>
      new RegExp(`(?:^|[\\s,])${name}="?([^",]*)`).exec(said.slice('Digest'.length))?.[1] ?? ''
    const who = md5(`${auth.user}:${REALM}:${auth.password}`)
    const what = md5(`${method}:${field('uri')}`)
    const proof = [who, this.#nonce, field('nc'), field('cnonce'), field('qop'), what].join(':')
    return field('username') === auth.user && field('nonce') === this.#nonce && field('response') === md5(proof)
  }
}

const md5 = (text: string) => createHash('md5').update(text).digest('hex')
