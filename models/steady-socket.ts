/**
 * Reading an accepted connection into memory that is kept. Runs in engine hosts. Node makes a fresh 64 KiB buffer for each
 * read of an accepted socket, eleven for a picture of 640×360; that is memory outside V8's heap, and V8 answers with full
 * collections, 55 in 1000 pictures. The `onread` option of net.Socket reads into one buffer, but can only be given when a
 * socket is made: the accepted socket's handle therefore moves to a socket of our own.
 */
import { Socket, type SocketConstructorOpts } from 'node:net'

const READ_BYTES = 256 * 1024
/** One for all connections of this process: what was read is taken before anything else is read. */
const buffer = Buffer.allocUnsafeSlow(READ_BYTES)

/**
 * `accepted` must have been accepted with `pauseOnConnect`; only the socket that is returned may be used afterwards. `receive`
 * must be done with a chunk when it returns. A Node that keeps its handles elsewhere gets its chunks in fresh memory.
 */
export function steadySocket(accepted: Socket, receive: (chunk: Uint8Array) => void): Socket {
  const inner = accepted as Socket & { _handle?: object | null }
  const handle = inner._handle
  if (handle === null || handle === undefined) {
    accepted.on('data', receive)
    return accepted.resume()
  }
  inner._handle = null
  const callback = (bytes: number) => {
    receive(buffer.subarray(0, bytes))
    return true
  }
  const options = { handle, onread: { buffer, callback } }
  return new Socket(options as unknown as SocketConstructorOpts)
}
