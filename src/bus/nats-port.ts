/**
 * Ports of a local NATS server: which one is free, and who answers there.
 * Runs in the daemon. Sends nothing: NATS servers greet first.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'

const NATS_PORT = 4222
const GREETING_LIMIT_MS = 500
/** A greeting is under 1 KB; a stranger on the port may send anything. */
const GREETING_MAX_BYTES = 16 * 1024

/** NATS's own port when it is free, otherwise any free one. Another program may take it before it is used. */
export async function choosePort(host: string): Promise<number> {
  return (await probe(host, NATS_PORT)) ?? (await probe(host, 0)) ?? NATS_PORT
}

async function probe(host: string, port: number): Promise<number | undefined> {
  const server = createServer()
  try {
    server.listen(port, host)
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'EADDRINUSE' || error.code === 'EACCES')) return
    throw error
  } finally {
    if (server.listening) {
      server.close()
      await once(server, 'close')
    }
  }
}

/** `server_name` of the greeting `INFO {…}`; `undefined` when nobody, or no NATS server, answers. */
export function readServerName(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: GREETING_LIMIT_MS })
    let text = ''
    const finish = (name?: string) => {
      socket.destroy()
      resolve(name)
    }
    socket.setEncoding('utf8')
    socket.on('data', (chunk) => {
      text += chunk
      if (text.includes('\r\n') || text.length > GREETING_MAX_BYTES) finish(nameIn(text))
    })
    socket.on('timeout', () => finish())
    socket.on('error', () => finish())
    socket.on('end', () => finish())
  })
}

function nameIn(text: string): string | undefined {
  return /^INFO \{.*"server_name":"([^"]*)"/.exec(text)?.[1]
}
