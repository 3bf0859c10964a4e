/** Stands between a client and an engine's socket: sees what passes, cuts it, and says things that the engine did not. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EngineEndpoint } from '../../../core/wire/control.ts'
import type { FromEngineSocket, ToEngineSocket } from '../../../core/wire/engine.ts'
import { FrameReader } from '../../../core/wire/framing.ts'

export class EngineProxy {
  readonly endpoint: EngineEndpoint
  /** Requests that went to the engine, and answers that came from it, by id, in order. */
  readonly asked: number[] = []
  readonly answered: number[] = []
  readonly #folder = mkdtempSync(join(tmpdir(), 'proxy-'))
  readonly #pairs = new Set<{ client: Socket; engine: Socket }>()
  readonly #server
  readonly #listening: Promise<void>

  private constructor(engine: EngineEndpoint) {
    this.endpoint = { socketPath: join(this.#folder, 'proxy.sock'), incarnation: engine.incarnation }
    this.#server = createServer((client) => this.#join(client, createConnection(engine.socketPath)))
    this.#listening = new Promise((listening) => this.#server.listen(this.endpoint.socketPath, listening))
  }

  static async before(engine: EngineEndpoint): Promise<EngineProxy> {
    const proxy = new EngineProxy(engine)
    await proxy.#listening
    return proxy
  }

  /** Ends every connection; new ones may come. */
  cut(): void {
    for (const { client, engine } of this.#pairs) {
      client.destroy()
      engine.destroy()
    }
  }

  /** Bytes that the clients take for the engine's. */
  say(bytes: Uint8Array): void {
    for (const { client } of this.#pairs) client.write(bytes)
  }

  close(): void {
    this.#server.close()
    this.cut()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #join(client: Socket, engine: Socket): void {
    const pair = { client, engine }
    this.#pairs.add(pair)
    const requests = new FrameReader<ToEngineSocket>()
    const answers = new FrameReader<FromEngineSocket>()
    client.on('data', (chunk) => {
      for (const { header } of requests.push(chunk)) if (header.type === 'infer') this.asked.push(header.id)
      engine.write(chunk)
    })
    engine.on('data', (chunk) => {
      for (const { header } of answers.push(chunk)) if (header.type !== 'welcome') this.answered.push(header.id)
      client.write(chunk)
    })
    for (const [one, other] of [
      [client, engine],
      [engine, client],
    ] as const) {
      one.on('error', () => one.destroy())
      one.on('close', () => {
        other.destroy()
        this.#pairs.delete(pair)
      })
    }
  }
}
