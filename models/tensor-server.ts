/**
 * The engine's Unix socket: listens, gives each connection a session, and takes its file away at the end.
 * Runs in engine hosts.
 */
import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { GrabberError } from '../core/errors.ts'
import { steadySocket } from './steady-socket.ts'
import { TensorSession, type TensorSessionOptions } from './tensor-session.ts'

export interface TensorServer {
  /** Idempotent; ends every connection and removes the socket's file. */
  close(): void
}

/** Only the same user may connect. Rejects with ENG_START, for example when the path is longer than the system allows. */
export async function listenTensors(
  socketPath: string,
  options: Pick<TensorSessionOptions, 'welcome' | 'allocate' | 'onRequest' | 'onClosed'>,
): Promise<TensorServer> {
  const sessions = new Set<TensorSession>()
  let count = 0
  const server = createServer({ pauseOnConnect: true }, (accepted) => {
    const socket = steadySocket(accepted, (chunk) => session.receive(chunk))
    const session = new TensorSession({
      ...options,
      number: ++count,
      socket,
      onClosed: (closed, reason) => {
        sessions.delete(closed)
        options.onClosed(closed, reason)
      },
    })
    sessions.add(session)
  })
  // The path carries the incarnation's number, so a file that is there was left by an engine that is dead.
  rmSync(socketPath, { force: true })
  const umask = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(socketPath, resolve)
    })
  } catch (cause) {
    throw new GrabberError('ENG_START', `the engine cannot listen on ${socketPath}`, { cause })
  } finally {
    process.umask(umask)
  }
  return {
    close() {
      // Removes the socket's file, too.
      server.close()
      for (const session of [...sessions]) session.close()
    },
  }
}
