/** Serves one video file over HTTP, whole or in ranges (RFC 9110, 14), well or badly. Test support. */
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { basename } from 'node:path'
import { type DoorOptions, HttpDoor } from './http-door.ts'

/** `stallAfter`, `cutAfter`: so many bytes of each answer, then nothing, or a RST. */
export type VideoBehaviour = 'serve' | { status: number } | { stallAfter: number } | { cutAfter: number }

export class VideoServer implements AsyncDisposable {
  readonly #content: Buffer
  readonly #name: string
  #door!: HttpDoor
  #behaviour: VideoBehaviour = 'serve'
  /** Answers that were a part of the file. */
  ranges = 0

  private constructor(file: string) {
    this.#content = readFileSync(file)
    this.#name = basename(file)
  }

  static async start(options: DoorOptions & { file: string }): Promise<VideoServer> {
    const server = new VideoServer(options.file)
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
    return this.#door.url(`/${this.#name}`, changes)
  }

  become(behaviour: VideoBehaviour): void {
    this.#behaviour = behaviour
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#door[Symbol.asyncDispose]()
  }

  #answer({ headers }: IncomingMessage, response: ServerResponse): void {
    const behaviour = this.#behaviour
    if (typeof behaviour === 'object' && 'status' in behaviour) {
      response.writeHead(behaviour.status).end()
      return
    }
    const total = this.#content.length
    const asked = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '')
    const from = Number(asked?.[1] ?? 0)
    const to = Math.min(total - 1, asked?.[2] ? Number(asked[2]) : total - 1)
    if (from >= total) {
      response.writeHead(416, { 'content-range': `bytes */${total}` }).end()
      return
    }
    const head = { 'content-type': 'video/mp4', 'accept-ranges': 'bytes', 'content-length': to - from + 1 }
    if (asked === null) response.writeHead(200, head)
    else {
      this.ranges++
      response.writeHead(206, { ...head, 'content-range': `bytes ${from}-${to}/${total}` })
    }
    const body = this.#content.subarray(from, to + 1)
    if (behaviour === 'serve') response.end(body)
    else if ('stallAfter' in behaviour) response.write(body.subarray(0, behaviour.stallAfter))
    else response.write(body.subarray(0, behaviour.cutAfter), () => response.socket?.resetAndDestroy())
  }
}
