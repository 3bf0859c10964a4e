/**
 * Stands between a client and a TCP server on loopback and is the bad network between them: what it does to the bytes can be
 * changed while they flow. It never looks at them; RTSP works through it when its pictures come over the same connection
 * (TCP interleaved): servers answer with the address that the client used.
 */
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'

/**
 * What becomes of bytes, in both directions, on connections that are open and on those to come:
 * - `pass`: they go on at once;
 * - `silent`: nothing goes on and nothing is said, for ever; connections are accepted. (Kernels acknowledge until buffers are full.)
 * - `refuse`: new connections are refused, nobody listens; open ones pass;
 * - `drip`: the server's bytes reach the client so many a second;
 * - `delayMs`: they go on that much later.
 */
export type Network = 'pass' | 'silent' | 'refuse' | { dripBytesPerSecond: number } | { delayMs: number }

/** Held back at most, in one direction: then the sender is no longer read, as in a full pipe. */
const HELD_BYTES = 1 << 20
const DRIP_STEP_MS = 20

export class FaultProxy implements AsyncDisposable {
  readonly #to: { port: number; host: string }
  readonly #links = new Set<Link>()
  readonly #server = createServer({ allowHalfOpen: true }, (client) => this.#join(client))
  #network: Network = 'pass'
  #port = 0

  private constructor(port: number, host: string) {
    this.#to = { port, host }
  }

  /** Listens on a free port of 127.0.0.1. The server need not be there yet. */
  static async before(port: number, { host = '127.0.0.1', network = 'pass' as Network } = {}): Promise<FaultProxy> {
    const proxy = new FaultProxy(port, host)
    await proxy.#listen()
    await proxy.become(network)
    return proxy
  }

  get port(): number {
    return this.#port
  }

  /** Connections of clients that are open, those that hang included. */
  get open(): number {
    return this.#links.size
  }

  async become(network: Network): Promise<void> {
    this.#network = network
    for (const link of this.#links) link.become(network)
    const refuses = network === 'refuse'
    if (refuses === this.#server.listening) await (refuses ? this.#closeListener() : this.#listen())
  }

  /** Both ends of every open connection get a RST. */
  reset(): void {
    for (const link of this.#links) link.reset()
  }

  /** Both ends of every open connection get a FIN. */
  cut(): void {
    for (const link of this.#links) link.cut()
  }

  /** The open connections are half-open from now on: no byte, no FIN, no RST, whatever the network becomes. New ones are not. */
  hang(): void {
    for (const link of this.#links) link.hang()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.reset()
    if (this.#server.listening) await this.#closeListener()
  }

  async #listen(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#server.once('error', reject)
    this.#server.listen(this.#port, '127.0.0.1', resolve)
    await promise
    this.#server.off('error', reject)
    this.#port = (this.#server.address() as AddressInfo).port
  }

  /** The listener is gone at once; open connections stay, which is why `close` is not waited for. */
  async #closeListener(): Promise<void> {
    this.#server.close()
  }

  #join(client: Socket): void {
    const link = new Link(client, this.#to, this.#network)
    this.#links.add(link)
    client.on('close', () => {
      if (!link.hangs) this.#links.delete(link)
    })
  }
}

/** A client's connection and the one to the server behind it, which is made when the first byte may pass. */
class Link {
  readonly #client: Socket
  readonly #to: { port: number; host: string }
  readonly #up: Direction
  #down: Direction | undefined
  #server: Socket | undefined
  #network: Network
  hangs = false

  constructor(client: Socket, to: { port: number; host: string }, network: Network) {
    this.#client = client
    this.#to = to
    this.#network = network
    this.#up = new Direction(client)
    client.setNoDelay()
    client.on('error', () => client.destroy())
    client.on('close', () => this.#pass(() => this.#server?.destroy()))
    this.become(network)
  }

  become(network: Network): void {
    if (this.hangs) return
    this.#network = network
    if (network !== 'silent') this.#server ??= this.#connect()
    this.#up.become(typeof network === 'object' && 'dripBytesPerSecond' in network ? 'pass' : network)
    this.#down?.become(network)
  }

  reset(): void {
    this.#client.resetAndDestroy()
    this.#server?.resetAndDestroy()
  }

  cut(): void {
    this.#client.destroySoon()
    this.#server?.destroySoon()
  }

  hang(): void {
    this.become('silent')
    this.hangs = true
  }

  #connect(): Socket {
    const server = createConnection({ ...this.#to, allowHalfOpen: true })
    server.setNoDelay()
    this.#up.goTo(server)
    this.#down = new Direction(server, this.#client)
    server.on('error', () => this.#pass(() => this.#client.resetAndDestroy()))
    return server
  }

  /** One end's death is told to the other, unless nothing gets through any more. */
  #pass(tell: () => void): void {
    if (this.#network !== 'silent') tell()
  }
}

/** Bytes on their way from one socket to another, and the end that comes after them. */
class Direction {
  readonly #source: Socket
  #to: Socket | undefined
  readonly #held: { chunk: Buffer; due: number }[] = []
  #network: Network = 'pass'
  #heldBytes = 0
  #ended = false
  #timer: NodeJS.Timeout | undefined

  constructor(source: Socket, to?: Socket) {
    this.#source = source
    if (to !== undefined) this.goTo(to)
    source.on('data', (chunk) => {
      const delay = typeof this.#network === 'object' && 'delayMs' in this.#network ? this.#network.delayMs : 0
      this.#held.push({ chunk, due: performance.now() + delay })
      this.#heldBytes += chunk.length
      this.#flow()
    })
    source.on('end', () => {
      this.#ended = true
      this.#flow()
    })
    source.on('close', () => this.#wake(undefined))
  }

  goTo(to: Socket): void {
    this.#to = to
    to.on('drain', () => this.#flow())
  }

  become(network: Network): void {
    this.#network = network
    this.#wake(undefined)
    this.#flow()
  }

  /** Sends what may go now, and comes back for the rest. */
  #flow(): void {
    if (this.#network !== 'silent' && this.#to?.writable && this.#timer === undefined) {
      if (typeof this.#network === 'object' && 'dripBytesPerSecond' in this.#network) {
        this.#drip(this.#network.dripBytesPerSecond, this.#to)
      } else this.#sendDue(this.#to)
      if (this.#ended && this.#held.length === 0) this.#to.end()
    }
    const waiting = this.#heldBytes + (this.#to?.writableLength ?? 0)
    const full = this.#network === 'silent' || waiting > HELD_BYTES
    if (full) this.#source.pause()
    else this.#source.resume()
  }

  #sendDue(to: Socket): void {
    const now = performance.now()
    while (this.#held.length > 0 && this.#held[0]!.due <= now) {
      const { chunk } = this.#held.shift()!
      this.#heldBytes -= chunk.length
      to.write(chunk)
    }
    const next = this.#held[0]
    if (next !== undefined) this.#wake(Math.max(1, next.due - now))
  }

  #drip(bytesPerSecond: number, to: Socket): void {
    const first = this.#held[0]
    if (first === undefined) return
    const stepMs = Math.max(DRIP_STEP_MS, 1000 / bytesPerSecond)
    const part = first.chunk.subarray(0, Math.max(1, Math.round((bytesPerSecond * stepMs) / 1000)))
    first.chunk = first.chunk.subarray(part.length)
    this.#heldBytes -= part.length
    if (first.chunk.length === 0) this.#held.shift()
    to.write(part)
    this.#wake(stepMs)
  }

  #wake(afterMs: number | undefined): void {
    clearTimeout(this.#timer)
    this.#timer =
      afterMs === undefined
        ? undefined
        : setTimeout(() => {
            this.#timer = undefined
            this.#flow()
          }, afterMs)
  }
}
