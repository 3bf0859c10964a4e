/**
 * Sends one probe into several networks, again and again as SOAP-over-UDP prescribes, and hands over what comes back.
 * Owns a UDP socket for each network; wherever discovery runs.
 */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Clock, Timer } from '../../../core/clock.ts'
import { GrabberError } from '../../../core/errors.ts'

export interface UdpAddress {
  address: string
  port: number
}

export interface ProberOptions {
  probe: Buffer
  target: UdpAddress
  /** IPv4 addresses of this machine, one for each network. */
  interfaces: readonly string[]
  clock: Clock
  /** Called for each datagram that arrives, until disposal. */
  onAnswer(answer: Buffer, fromAddress: string): void
}

/** SOAP-over-UDP (2004) appendix I, which WS-Discovery §3.1.3 refers to: copies after the first, and ms between them, doubling. */
const REPEATS = 4
const MIN_DELAY_MS = 50
const MAX_DELAY_MS = 250
const UPPER_DELAY_MS = 500

export class Prober implements AsyncDisposable {
  readonly #options: ProberOptions
  readonly #sockets = new Set<Socket>()
  #timer: Timer | undefined
  #closed = false

  constructor(options: ProberOptions) {
    this.#options = options
  }

  /** Resolves when the first copy is out on at least one network. Errors: SRC_UNREACHABLE. */
  async start(): Promise<void> {
    const { interfaces, clock } = this.#options
    const opened = await Promise.allSettled(interfaces.map((address) => this.#open(address)))
    const failed = opened.find((result) => result.status === 'rejected')
    if (!opened.some((result) => result.status === 'fulfilled')) {
      throw new GrabberError('SRC_UNREACHABLE', 'no network of this machine takes a probe for cameras', {
        cause: failed?.reason,
        remedy: 'check that it has an IPv4 address, and that its firewall lets UDP to port 3702 out',
      })
    }
    this.#repeatIn(MIN_DELAY_MS + Math.random() * (MAX_DELAY_MS - MIN_DELAY_MS), REPEATS, clock)
  }

  async #open(address: string): Promise<void> {
    const { onAnswer, target } = this.#options
    const socket = createSocket('udp4')
    // ICMP may report a refusal later; that network falls silent, and the others go on.
    socket.on('error', () => undefined)
    socket.on('message', (answer, { address: from }) => {
      if (!this.#closed) onAnswer(answer, from)
    })
    this.#sockets.add(socket)
    try {
      const listening = once(socket, 'listening')
      socket.bind({ address, port: 0 })
      await listening
      // Multicast goes where routing says, unless it is told.
      if (isMulticast(target.address)) socket.setMulticastInterface(address)
      await this.#send(socket)
    } catch (error) {
      if (this.#sockets.delete(socket)) socket.close()
      throw error
    }
  }

  #send(socket: Socket): Promise<void> {
    const { probe, target } = this.#options
    return new Promise((resolve, reject) => {
      socket.send(probe, target.port, target.address, (error) => (error ? reject(error) : resolve()))
    })
  }

  #repeatIn(delayMs: number, left: number, clock: Clock): void {
    if (this.#closed || left === 0) return
    this.#timer = clock.after(delayMs, () => {
      // A copy that is lost is what the others are for.
      for (const socket of this.#sockets) this.#send(socket).catch(() => undefined)
      this.#repeatIn(Math.min(delayMs * 2, UPPER_DELAY_MS), left - 1, clock)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    const sockets = [...this.#sockets]
    this.#sockets.clear()
    await Promise.all(sockets.map((socket) => new Promise<void>((done) => socket.close(done))))
  }
}

function isMulticast(address: string): boolean {
  const first = Number.parseInt(address, 10)
  return first >= 224 && first <= 239
}
