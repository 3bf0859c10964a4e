/**
 * A camera, or a recorder in front of one, that streams over HTTP Live Streaming (RFC 8216): ffmpeg cuts a clip that never ends into
 * live segments, as they are, in a folder; Node serves the folder.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { type DoorOptions, HttpDoor } from './http-door.ts'
import { until } from './nats.ts'

export interface HlsOptions extends DoorOptions {
  /** H.264 in an mp4, with a key frame at least each second. */
  clip: string
  /** Of a segment, s; 1 unless told otherwise. A segment ends with a key frame. */
  segmentSeconds?: number
}

/** `{ status }`: that answer to each request. `garbage`: segments of the right length with nothing in them. */
export type HlsBehaviour = 'play' | 'garbage' | { status: number }

const PLAYLIST = 'live.m3u8'
const TYPES: Record<string, string> = { m3u8: 'application/vnd.apple.mpegurl', ts: 'video/mp2t' }

export class HlsServer implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'grabber-hls-'))
  readonly #ffmpeg: ChildProcess
  #door!: HttpDoor
  #behaviour: HlsBehaviour = 'play'

  private constructor({ clip, segmentSeconds = 1 }: HlsOptions) {
    const live = ['-hls_time', String(segmentSeconds), '-hls_list_size', '4', '-hls_flags', 'delete_segments']
    const input = ['-v', 'error', '-nostdin', '-re', '-stream_loop', '-1', '-i', clip]
    const output = ['-map', '0:v:0', '-c', 'copy', '-f', 'hls', ...live, join(this.#folder, PLAYLIST)]
    // It would go on for ever after a test process that was killed.
    this.#ffmpeg = spawn('setpriv', ['--pdeathsig', 'KILL', 'ffmpeg', ...input, ...output], { stdio: 'ignore' })
  }

  /** Resolves when there is a first segment. */
  static async start(options: HlsOptions): Promise<HlsServer> {
    const server = new HlsServer(options)
    server.#door = await HttpDoor.open(options, (request, response) => server.#answer(request, response))
    await until('a segment', () => existsSync(join(server.#folder, PLAYLIST)))
    return server
  }

  get port(): number {
    return this.#door.port
  }

  get url(): string {
    return this.urlAt()
  }

  /** Through another port of 127.0.0.1 (a FaultProxy), or with another password (`null`: none given). */
  urlAt(changes: Parameters<HttpDoor['url']>[1] = {}): string {
    return this.#door.url(`/${PLAYLIST}`, changes)
  }

  become(behaviour: HlsBehaviour): void {
    this.#behaviour = behaviour
  }

  /** The playlist is still served, and does not grow any more. */
  stall(): void {
    this.#ffmpeg.kill('SIGSTOP')
  }

  /** Ends `stall`. */
  resume(): void {
    this.#ffmpeg.kill('SIGCONT')
  }

  /** The playlist says that the stream has ended. */
  async end(): Promise<void> {
    await this.#stop('SIGTERM')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop('SIGKILL')
    await this.#door[Symbol.asyncDispose]()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #stop(signal: NodeJS.Signals): Promise<void> {
    if (this.#ffmpeg.exitCode !== null || this.#ffmpeg.signalCode !== null) return
    const ended = once(this.#ffmpeg, 'exit')
    this.#ffmpeg.kill(signal)
    await ended
  }

  #answer({ url = '' }: IncomingMessage, response: ServerResponse): void {
    const name = basename(url)
    const path = join(this.#folder, name)
    if (typeof this.#behaviour === 'object') response.writeHead(this.#behaviour.status).end()
    else if (!existsSync(path)) response.writeHead(404).end()
    else {
      const body = readFileSync(path)
      if (this.#behaviour === 'garbage' && name !== PLAYLIST) body.fill(0)
      response
        .writeHead(200, { 'content-type': TYPES[name.split('.').at(-1)!], 'content-length': body.length })
        .end(body)
    }
  }
}
