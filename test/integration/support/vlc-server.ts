/**
 * A camera of another make: VLC's own RTSP server, with its own packetiser, session handling and words. It sends over UDP only and
 * answers 461 to who asks for TCP; a client that says nothing for the length of a session is dropped.
 * (live555's server would be a third one; Debian 12 does not have it.)
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { kept, stamped } from './clip-cache.ts'
import { until } from './nats.ts'

/** Where VLC begins a file again it sets its clock back by a second; a test is over before that. */
const PLAYED_S = 120
const SCRIPT = fileURLToPath(new URL('../../fixtures/servers/vlc_server.py', import.meta.url))

export interface VlcOptions {
  /** Any that VLC's RTP output takes as it is: H.264, H.265, MPEG-4 and others. */
  clip: string
  /** Of a session without a word from its client, s; 60 unless told otherwise. */
  timeoutS?: number
  /** Basic or Digest, as VLC likes; anybody may watch when there is none. */
  auth?: { user: string; password: string }
}

export class VlcServer implements AsyncDisposable {
  readonly port: number
  readonly #auth: VlcOptions['auth']
  readonly #child: ChildProcess

  private constructor(port: number, { clip, timeoutS = 60, auth }: VlcOptions) {
    this.port = port
    this.#auth = auth
    const asked = JSON.stringify({ clip: repeated(clip), port, timeoutS, ...auth })
    this.#child = spawn('/usr/bin/python3', [SCRIPT, asked], { stdio: ['pipe', 'ignore', 'inherit'] })
    this.#child.stdin?.on('error', () => undefined)
  }

  /** Resolves when the stream can be asked for. */
  static async start(options: VlcOptions): Promise<VlcServer> {
    const server = new VlcServer(await freePort(), options)
    await until('VLC serves', () => server.#isThere())
    return server
  }

  get url(): string {
    return this.urlAt(this.port)
  }

  /** With another password (`null`: none given). The port of a FaultProxy reaches only what is not pictures: they come over UDP. */
  urlAt(port: number, password = this.#auth?.password ?? null): string {
    const user = this.#auth === undefined || password === null ? '' : `${this.#auth.user}:${password}@`
    return `rtsp://${user}127.0.0.1:${port}/stream`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }

  async #isThere(): Promise<boolean> {
    if (this.#child.exitCode !== null) throw new Error('VLC did not start')
    const socket = connect(this.port, '127.0.0.1')
    const asked = `DESCRIBE rtsp://127.0.0.1:${this.port}/stream RTSP/1.0\r\nCSeq: 1\r\n\r\n`
    const { promise, resolve } = Promise.withResolvers<boolean>()
    // 404 until the stream is known.
    socket.on('data', (chunk) => resolve(/^RTSP\/1\.0 (200|401)/.test(chunk.toString())))
    socket.on('error', () => resolve(false))
    socket.on('close', () => resolve(false))
    socket.write(asked)
    return promise.finally(() => socket.destroy())
  }
}

/** The clip one time after the other, as it is. */
function repeated(clip: string): string {
  const name = basename(clip).replace(/\.[^.]*$/, '')
  const options = ['-map', '0:v:0', '-c', 'copy', '-t', String(PLAYED_S), '-f', 'mp4']
  return kept(`${name}-repeated`, 'mp4', [stamped(clip), ...options], (path) => {
    const input = ['-v', 'error', '-y', '-stream_loop', '-1', '-i', clip]
    execFileSync('ffmpeg', [...input, ...options, path], { timeout: 60_000 })
  })
}

/** A port of 127.0.0.1 on which nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  await new Promise((done) => server.close(done))
  return port
}
