/**
 * Holds the standard port of NATS while files run beside each other. Runs in vitest's own process.
 *
 * A server that was killed must find its port free when it comes back. On the standard port, which every server tries first,
 * one of the other file would stand by then; ports that the system picks do not come twice in so short a time.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Whoever has the port already holds it just as well. */
export default async function holdStandardPort(): Promise<() => void> {
  const holder = createServer((socket) => socket.destroy())
  const listening = once(holder, 'listening')
  holder.listen(4222, '127.0.0.1')
  await listening.catch(() => undefined)
  return () => void holder.close()
}
