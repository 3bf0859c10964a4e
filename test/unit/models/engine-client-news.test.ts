/** What the daemon's news of the engine mean for open requests: moved, gone, refused. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ToEngineSocket } from '../../../core/wire/engine.ts'
import { encodeFrame, FrameReader } from '../../../core/wire/framing.ts'
import { EngineClient } from '../../../models/engine-client.ts'
import { VirtualClock } from '../virtual-clock.ts'

/** An engine that answers nothing by itself. */
class MuteEngine {
  readonly endpoint: { socketPath: string; incarnation: number }
  readonly received: Extract<ToEngineSocket, { type: 'infer' }>[] = []
  readonly #server: Server
  #socket: Socket | undefined

  constructor(incarnation: number) {
    this.endpoint = { socketPath: join(folder, `${incarnation}.sock`), incarnation }
    this.#server = createServer((socket) => {
      this.#socket = socket
      const reader = new FrameReader<ToEngineSocket>()
      socket.on('error', () => socket.destroy())
      socket.on('data', (chunk: Buffer) => {
        for (const { header } of reader.push(chunk)) {
          if (header.type === 'infer') this.received.push(header)
          else
            for (const part of encodeFrame({ type: 'welcome', incarnation, credits: 8, models: [] })) socket.write(part)
        }
      })
    })
    this.#server.listen(this.endpoint.socketPath)
  }

  answer(id: number): void {
    const header = { type: 'result', id, rows: 1, columns: 1, batch: 1, queueMs: 0, runMs: 1 }
    for (const part of encodeFrame(header, new Uint8Array(new Float32Array([id]).buffer))) this.#socket?.write(part)
  }

  close(): void {
    this.#socket?.destroy()
    this.#server.close()
  }
}

let folder: string
let client: EngineClient
let clock: VirtualClock
let engines: MuteEngine[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'news-'))
  clock = new VirtualClock(0)
  client = new EngineClient({ session: 'cam', priority: 1, askDeadlineMs: 10_000, clock })
  engines = [1, 2, 3].map((incarnation) => new MuteEngine(incarnation))
})
afterEach(() => {
  client.close()
  for (const engine of engines) engine.close()
  rmSync(folder, { recursive: true, force: true })
})

const picture = { width: 2, height: 1, data: new Uint8Array(6) }

function ask() {
  const promise = client.infer('m', picture, {})
  promise.catch(() => undefined)
  return promise
}

const arrived = (engine: MuteEngine, count: number) =>
  expect.poll(() => engine.received.length, { timeout: 12_000, interval: 2 }).toBe(count)

describe('a session that is moved', () => {
  test('sends its open requests to the next engine as they were, however often', async () => {
    const [first, second, third] = engines as [MuteEngine, MuteEngine, MuteEngine]
    const asked = [ask(), ask()]
    client.setEndpoint(first.endpoint, 'placed')
    await arrived(first, 2)
    client.setEndpoint(second.endpoint, 'moved')
    await arrived(second, 2)
    client.setEndpoint(third.endpoint, 'moved')
    await arrived(third, 2)
    expect(third.received.map(({ attempt }) => attempt)).toEqual([1, 1])
    for (const { id } of third.received) third.answer(id)
    expect((await Promise.all(asked)).map(({ data }) => data[0])).toEqual([1, 2])
  })

  test('is different from one whose engine died: there each request is a suspect', async () => {
    const [first, second] = engines as [MuteEngine, MuteEngine]
    const asked = [ask(), ask()]
    client.setEndpoint(first.endpoint, 'placed')
    await arrived(first, 2)
    client.setEndpoint(second.endpoint, 'placed')
    await arrived(second, 1)
    expect(second.received[0]?.attempt).toBe(2)
    second.answer(second.received[0]!.id)
    await asked[0]
  })
})

describe('a session that is refused', () => {
  test('fails what is open and what comes, at once, and serves again when there is an engine', async () => {
    const [first, second] = engines as [MuteEngine, MuteEngine]
    const sent = ask()
    client.setEndpoint(first.endpoint)
    await arrived(first, 1)
    client.setEndpoint(null, 'gone')
    const waiting = ask()
    client.setEndpoint(null, 'refused')
    // No time has passed.
    expect(clock.monotonicMs()).toBe(0)
    for (const request of [sent, waiting, ask()]) {
      await expect(request).rejects.toMatchObject({ code: 'ENG_UNAVAILABLE' })
    }
    expect(client.open).toBe(0)
    expect(clock.pendingTimers).toBe(0)
    client.setEndpoint(second.endpoint, 'placed')
    const served = ask()
    await arrived(second, 1)
    second.answer(second.received[0]!.id)
    expect((await served).columns).toBe(1)
  })

  test('may hope again: gone after refused keeps requests waiting', async () => {
    client.setEndpoint(null, 'refused')
    client.setEndpoint(null, 'gone')
    const waiting = ask()
    await clock.advance(9999)
    expect(client.open).toBe(1)
    await clock.advance(1)
    await expect(waiting).rejects.toMatchObject({ code: 'ENG_UNAVAILABLE' })
  })
})
