/** A device's side of WS-Discovery: hears probes on UDP and answers as told. Test support. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type Dialect, inDialect, probeMatches, type SimulatedMatch } from './onvif-answers.ts'

const GROUP = '239.255.255.250'
const PROBE = /<(?:\w+:)?MessageID[^>]*>(urn:uuid:[0-9a-f-]{36})</

/** What is sent back for a probe: matches to it, matches to another one, or any bytes. */
export type Reply = { matches: SimulatedMatch[]; dialect?: Dialect; relatesTo?: string } | { bytes: Buffer }

export class OnvifResponder implements AsyncDisposable {
  /** The probes that came, as they came. */
  readonly probes: string[] = []
  readonly #socket: Socket
  /** `reply` says what goes back for the n-th probe, from 1. */
  private constructor(socket: Socket, reply: (probe: number) => Reply[]) {
    this.#socket = socket
    socket.on('message', (datagram, { address, port }) => {
      const probe = datagram.toString('utf8')
      const id = PROBE.exec(probe)?.[1]
      if (id === undefined) return
      this.probes.push(probe)
      for (const answer of reply(this.probes.length)) socket.send(toBytes(answer, id), port, address)
    })
  }

  /** On the loopback interface: alone on a port of its own, or in the group of WS-Discovery when `multicast`. */
  static async start(reply: (probe: number) => Reply[], { multicast = false } = {}): Promise<OnvifResponder> {
    const socket = createSocket({ type: 'udp4', reuseAddr: multicast })
    const responder = new OnvifResponder(socket, reply)
    const listening = once(socket, 'listening')
    if (multicast) socket.bind({ port: 3702, address: GROUP })
    else socket.bind({ port: 0, address: '127.0.0.1' })
    await listening
    if (multicast) socket.addMembership(GROUP, '127.0.0.1')
    return responder
  }

  get target(): { address: string; port: number } {
    const { address, port } = this.#socket.address()
    return { address, port }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((done) => this.#socket.close(done))
  }
}

function toBytes(reply: Reply, id: string): Buffer {
  if ('bytes' in reply) return reply.bytes
  return Buffer.from(inDialect(reply.dialect ?? 'gsoap', ...probeMatches(reply.relatesTo ?? id, reply.matches)))
}
