/**
 * A camera that sends Motion JPEG over HTTP (multipart/x-mixed-replace), well or badly: real pictures of a real clip, encoded once
 * by ffmpeg, one after the other for ever.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { basename, join } from 'node:path'
import { type AccessUnits, accessUnits } from './access-units.ts'
import { kept, stamped } from './clip-cache.ts'
import { type DoorOptions, HttpDoor } from './http-door.ts'

/**
 * What the camera does, to those who watch and to those who come:
 * - `play`; `freeze`: the same picture at the same rate; `stall`: no pictures, the connection open;
 * - `drip`: one byte a second; `garbage`: parts whose pictures are random bytes;
 * - `{ status }`: that answer to each request (404, 401, 503); who watches goes on.
 */
export type MjpegBehaviour = 'play' | 'freeze' | 'stall' | 'drip' | 'garbage' | { status: number }

export interface MjpegOptions extends DoorOptions {
  clip: string
  /** Pictures a second; 10 unless told otherwise. */
  fps?: number
  /** Whether parts say content-length; some cameras do not. */
  lengths?: boolean
}

const BOUNDARY = 'picture'
const GARBAGE_BYTES = 4000

export class MjpegServer implements AsyncDisposable {
  readonly #pictures: readonly Buffer[]
  readonly #options: MjpegOptions
  readonly #viewers = new Set<ServerResponse>()
  readonly #rests = new Map<ServerResponse, Buffer>()
  readonly #timers: NodeJS.Timeout[]
  #door!: HttpDoor
  /** Bytes that were dripped. */
  dripped = 0
  #behaviour: MjpegBehaviour = 'play'
  #next = 0

  private constructor(options: MjpegOptions) {
    this.#options = options
    this.#pictures = jpegs(options.clip)
    this.#timers = [setInterval(() => this.#tick(), 1000 / (options.fps ?? 10)), setInterval(() => this.#drip(), 1000)]
  }

  static async start(options: MjpegOptions): Promise<MjpegServer> {
    const server = new MjpegServer(options)
    server.#door = await HttpDoor.open(options, (request, response) => server.#answer(request, response))
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
    return this.#door.url('/video.mjpg', changes)
  }

  /** Who watches. */
  get viewers(): number {
    return this.#viewers.size
  }

  become(behaviour: MjpegBehaviour): void {
    this.#behaviour = behaviour
  }

  /** Ends every open connection: with a FIN in the middle of a picture, or with a RST. */
  cut(how: 'fin' | 'reset' = 'fin'): void {
    const part = this.#part(this.#pictures[this.#next]!)
    for (const viewer of this.#viewers) {
      if (how === 'reset') viewer.socket?.resetAndDestroy()
      else viewer.write(part.subarray(0, part.length >> 1), () => viewer.socket?.destroySoon())
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    await this.#door[Symbol.asyncDispose]()
  }

  #answer(_: IncomingMessage, response: ServerResponse): void {
    if (typeof this.#behaviour === 'object') {
      response.writeHead(this.#behaviour.status).end()
      return
    }
    response.writeHead(200, { 'content-type': `multipart/x-mixed-replace; boundary=${BOUNDARY}`, connection: 'close' })
    response.flushHeaders()
    this.#viewers.add(response)
    response.on('close', () => {
      this.#viewers.delete(response)
      this.#rests.delete(response)
    })
  }

  #tick(): void {
    const behaviour = this.#behaviour
    if (behaviour === 'stall' || behaviour === 'drip') return
    if (behaviour !== 'freeze') this.#next = (this.#next + 1) % this.#pictures.length
    const picture = this.#pictures[this.#next]!
    const part = this.#part(behaviour === 'garbage' ? noise(GARBAGE_BYTES) : picture)
    for (const viewer of this.#viewers) {
      // A camera has no memory for pictures that nobody fetches.
      if (viewer.writableLength < part.length * 4) viewer.write(part)
    }
  }

  #drip(): void {
    if (this.#behaviour !== 'drip') return
    for (const viewer of this.#viewers) {
      const rest = this.#rests.get(viewer) ?? this.#part(this.#pictures[this.#next]!)
      viewer.write(rest.subarray(0, 1))
      this.dripped++
      this.#rests.set(viewer, rest.subarray(1))
    }
  }

  #part(picture: Buffer): Buffer {
    const length = this.#options.lengths === false ? '' : `Content-Length: ${picture.length}\r\n`
    const head = `--${BOUNDARY}\r\nContent-Type: image/jpeg\r\n${length}\r\n`
    return Buffer.concat([Buffer.from(head), picture, Buffer.from('\r\n')])
  }
}

/** xorshift: the same bytes each time. */
function noise(size: number): Buffer {
  let state = 0x9e3779b9
  return Buffer.from(
    Array.from({ length: size }, () => {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      return state & 0xff
    }),
  )
}

/** A clip's pictures as JPEG files. */
function jpegs(clip: string): Buffer[] {
  const encoder = ['-c:v', 'mjpeg', '-q:v', '4', '-pix_fmt', 'yuvj420p', '-an', '-f', 'avi']
  const name = basename(clip).replace(/\.[^.]*$/, '')
  const avi = kept(`${name}-jpeg`, 'avi', [stamped(clip), ...encoder], (path) => {
    execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', clip, ...encoder, path], { timeout: 60_000 })
  })
  const folder = accessUnits(avi)
  const { units } = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as AccessUnits
  const all = readFileSync(join(folder, 'pictures'))
  let end = 0
  return units.map(([size]) => {
    end += size
    return all.subarray(end - size, end)
  })
}
