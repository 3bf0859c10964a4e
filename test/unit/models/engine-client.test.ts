/** The client against a scripted engine on a real socket; time is a clock that the test moves. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { FromEngineSocket, ToEngineSocket } from '../../../core/wire/engine.ts'
import { encodeFrame, FrameReader } from '../../../core/wire/framing.ts'
import { EngineClient } from '../../../models/engine-client.ts'
import { VirtualClock } from '../virtual-clock.ts'

type Infer = Extract<ToEngineSocket, { type: 'infer' }>

let folder: string
let clock: VirtualClock
let client: EngineClient
const engines: ScriptedEngine[] = []

class ScriptedEngine {
  readonly endpoint
  readonly received: Infer[] = []
  readonly attempts: Promise<void>
  hellos = 0
  #server: Server
  #sockets = new Set<Socket>()

  constructor(incarnation: number, { credits = 8, welcomes = true } = {}) {
    this.endpoint = { socketPath: join(folder, `${incarnation}.sock`), incarnation }
    this.#server = createServer((socket) => {
      this.#sockets.add(socket)
      const reader = new FrameReader<ToEngineSocket>()
      socket.on('error', () => socket.destroy())
      socket.on('data', (chunk) => {
        for (const { header } of reader.push(chunk)) {
          if (header.type === 'infer') this.received.push(header)
          else this.hellos++
          if (header.type === 'hello' && welcomes) this.send({ type: 'welcome', incarnation, credits })
        }
      })
    })
    this.attempts = new Promise((listening) => this.#server.listen(this.endpoint.socketPath, listening))
    engines.push(this)
  }

  send(message: FromEngineSocket, payload?: Uint8Array): void {
    for (const socket of this.#sockets) for (const part of encodeFrame(message, payload)) socket.write(part)
  }

  answer(id: number, ...numbers: number[]): void {
    const data = Float32Array.from(numbers)
    const header = { type: 'result', id, rows: 1, columns: numbers.length } as const
    this.send(header, new Uint8Array(data.buffer))
  }

  die(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    this.#sockets.clear()
  }
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'client-'))
  clock = new VirtualClock(0)
  client = new EngineClient({ session: 'cam', priority: 1, askDeadlineMs: 10_000, clock })
})

afterEach(() => {
  client.close()
  for (const engine of engines.splice(0)) engine.die()
  rmSync(folder, { recursive: true, force: true })
})

const picture = { width: 2, height: 1, data: new Uint8Array(6) }

/** A request whose rejection is looked at later. */
function ask() {
  const promise = client.infer('m', picture, { p: 1 })
  promise.catch(() => undefined)
  return promise
}

async function until(condition: () => boolean): Promise<void> {
  await expect.poll(condition, { timeout: 12_000, interval: 2 }).toBe(true)
}

async function started(incarnation: number, options = {}): Promise<ScriptedEngine> {
  const engine = new ScriptedEngine(incarnation, options)
  await engine.attempts
  return engine
}

describe('EngineClient', () => {
  test('sends what waited once there is an engine, and resolves by id', async () => {
    const [first, second] = [ask(), ask()]
    const engine = await started(1)
    client.setEndpoint(engine.endpoint)
    await until(() => engine.received.length === 2)
    expect(engine.received[0]).toEqual({
      type: 'infer',
      id: 1,
      model: 'm',
      width: 2,
      height: 1,
      params: { p: 1 },
      attempt: 1,
      expiresInMs: null,
    })
    engine.answer(2, 0.5, 4)
    engine.answer(1, 7)
    expect(await second).toEqual({ rows: 1, columns: 2, data: Float32Array.from([0.5, 4]) })
    expect((await first).data).toEqual(Float32Array.from([7]))
    expect(client.open).toBe(0)
  })

  test('never sends more than its credits', async () => {
    const engine = await started(1, { credits: 2 })
    client.setEndpoint(engine.endpoint)
    const asks = [ask(), ask(), ask(), ask()]
    await until(() => engine.received.length === 2)
    expect(client.open).toBe(4)
    engine.answer(1, 1)
    await asks[0]
    await until(() => engine.received.length === 3)
    engine.send({ type: 'error', id: 2, error: { code: 'ENG_EXPIRED', message: 'late', remedy: 'r' } })
    await expect(asks[1]).rejects.toMatchObject({ name: 'GrabberError', code: 'ENG_EXPIRED', message: 'late' })
    await until(() => engine.received.length === 4)
    expect(engine.received.map(({ id }) => id)).toEqual([1, 2, 3, 4])
  })

  test('carries requests over to the next engine, suspects one by one, ahead of the rest', async () => {
    const first = await started(1, { credits: 2 })
    client.setEndpoint(first.endpoint)
    const asks = [ask(), ask(), ask()]
    await until(() => first.received.length === 2)
    first.die()
    const second = await started(2)
    client.setEndpoint(second.endpoint)
    await until(() => second.received.length === 1)
    expect(second.received[0]).toMatchObject({ id: 1, attempt: 2 })
    second.answer(1, 1)
    await until(() => second.received.length === 2)
    expect(second.received[1]).toMatchObject({ id: 2, attempt: 2 })
    second.answer(2, 2)
    await until(() => second.received.length === 3)
    expect(second.received[2]).toMatchObject({ id: 3, attempt: 1 })
    second.answer(3, 3)
    expect((await Promise.all(asks)).map(({ data }) => data[0])).toEqual([1, 2, 3])
  })

  test('a request under which two engines died is poison; those beside it are not', async () => {
    const asks = [ask(), ask()]
    for (const incarnation of [1, 2]) {
      const engine = await started(incarnation)
      client.setEndpoint(engine.endpoint)
      await until(() => engine.received.some(({ id }) => id === 1))
      engine.die()
    }
    await expect(asks[0]).rejects.toMatchObject({ code: 'ENG_POISON' })
    const third = await started(3)
    client.setEndpoint(third.endpoint)
    await until(() => third.received.length === 1)
    third.answer(2, 5)
    expect((await asks[1]!).data[0]).toBe(5)
  })

  test('without an engine a request fails after its deadline, by the clock', async () => {
    const early = ask()
    clock.advanceSync(4000)
    const later = ask()
    clock.advanceSync(5999)
    expect(client.open).toBe(2)
    clock.advanceSync(1)
    await expect(early).rejects.toMatchObject({ code: 'ENG_UNAVAILABLE' })
    expect(client.open).toBe(1)
    clock.advanceSync(4000)
    await expect(later).rejects.toMatchObject({ code: 'ENG_UNAVAILABLE' })
    expect(client.open).toBe(0)
  })

  test('time under a running engine does not count as absence; time without one adds up', async () => {
    const request = ask()
    clock.advanceSync(6000)
    const first = await started(1)
    client.setEndpoint(first.endpoint)
    await until(() => first.received.length === 1)
    clock.advanceSync(60_000)
    expect(client.open).toBe(1)
    client.setEndpoint(null)
    clock.advanceSync(3999)
    expect(client.open).toBe(1)
    clock.advanceSync(1)
    await expect(request).rejects.toMatchObject({ code: 'ENG_UNAVAILABLE' })
  })

  test('a request that waits for a credit when the engine goes has its deadline too', async () => {
    const engine = await started(1, { credits: 1 })
    client.setEndpoint(engine.endpoint)
    const asks = [ask(), ask()]
    await until(() => engine.received.length === 1)
    clock.advanceSync(60_000)
    client.setEndpoint(null)
    clock.advanceSync(9999)
    expect(client.open).toBe(2)
    clock.advanceSync(1)
    for (const request of asks) await expect(request).rejects.toMatchObject({ code: 'ENG_UNAVAILABLE' })
  })

  test('an engine that accepts but does not welcome is no engine', async () => {
    const engine = await started(1, { welcomes: false })
    client.setEndpoint(engine.endpoint)
    const request = ask()
    await until(() => engine.hellos === 1)
    clock.advanceSync(10_000)
    await expect(request).rejects.toMatchObject({ code: 'ENG_UNAVAILABLE' })
    expect(engine.received).toEqual([])
  })

  test('tries an endpoint that is not there yet a few more times', async () => {
    client.setEndpoint({ socketPath: join(folder, '1.sock'), incarnation: 1 })
    const request = ask()
    // Its deadline, and then the retry.
    await until(() => clock.pendingTimers === 2)
    const engine = await started(1)
    clock.advanceSync(50)
    await until(() => engine.received.length === 1)
    engine.answer(1, 1)
    await request
  })

  test('gives up an endpoint that stays away, until there is a new one', async () => {
    client.setEndpoint({ socketPath: join(folder, '1.sock'), incarnation: 1 })
    for (const waitMs of [50, 100, 200, 400, 800]) {
      await until(() => clock.pendingTimers === 1)
      clock.advanceSync(waitMs)
    }
    const request = ask()
    expect(clock.pendingTimers).toBe(1)
    const engine = await started(2)
    client.setEndpoint(engine.endpoint)
    await until(() => engine.received.length === 1)
    engine.answer(1, 1)
    await request
  })

  describe('with a deadline', () => {
    beforeEach(() => {
      client.close()
      client = new EngineClient({ session: 'cam', priority: 1, askDeadlineMs: 10_000, expiresInMs: 1000, clock })
    })

    test('tells the engine what is left of it', async () => {
      ask()
      clock.advanceSync(400)
      const engine = await started(1)
      client.setEndpoint(engine.endpoint)
      await until(() => engine.received.length === 1)
      expect(engine.received[0]).toMatchObject({ expiresInMs: 600 })
    })

    test('fails at its deadline under an engine that hangs; the credit comes back with the late answer', async () => {
      const engine = await started(1, { credits: 1 })
      client.setEndpoint(engine.endpoint)
      const [late, next] = [ask(), ask()]
      await until(() => engine.received.length === 1)
      clock.advanceSync(999)
      expect(client.open).toBe(2)
      clock.advanceSync(1)
      for (const request of [late, next]) await expect(request).rejects.toMatchObject({ code: 'ENG_EXPIRED' })
      const third = ask()
      engine.answer(1, 1)
      await until(() => engine.received.length === 2)
      expect(engine.received[1]).toMatchObject({ id: 3, attempt: 1 })
      engine.answer(3, 7)
      expect((await third).data[0]).toBe(7)
      expect(client.open).toBe(0)
      expect(clock.pendingTimers).toBe(0)
    })

    test('is not sent to the next engine when it expired under the last one', async () => {
      const first = await started(1)
      client.setEndpoint(first.endpoint)
      const late = ask()
      await until(() => first.received.length === 1)
      clock.advanceSync(1000)
      await expect(late).rejects.toMatchObject({ code: 'ENG_EXPIRED' })
      const fresh = ask()
      await until(() => first.received.length === 2)
      first.die()
      const second = await started(2)
      client.setEndpoint(second.endpoint)
      await until(() => second.received.length === 1)
      expect(second.received.map(({ id }) => id)).toEqual([2])
      second.answer(2, 1)
      await fresh
    })

    test('fails at its deadline when there is no engine at all', async () => {
      const request = ask()
      clock.advanceSync(1000)
      await expect(request).rejects.toMatchObject({ code: 'ENG_EXPIRED' })
      expect(client.open).toBe(0)
      expect(clock.pendingTimers).toBe(0)
    })
  })

  test('the same endpoint again does not disturb a live connection', async () => {
    const engine = await started(1)
    client.setEndpoint(engine.endpoint)
    const request = ask()
    await until(() => engine.received.length === 1)
    client.setEndpoint({ ...engine.endpoint })
    engine.answer(1, 1)
    await request
    expect(engine.hellos).toBe(1)
  })

  test.for<[string, (engine: ScriptedEngine) => void]>([
    ['numbers that do not fill their rows', (engine) => engine.send({ type: 'result', id: 1, rows: 2, columns: 2 })],
    [
      'an unknown error code',
      (engine) => engine.send({ type: 'error', id: 1, error: { code: 'NO' as 'ENG_POISON', message: '', remedy: '' } }),
    ],
    ['a second welcome', (engine) => engine.send({ type: 'welcome', incarnation: 1, credits: 8 })],
  ])('an engine that sends %s is left, and the request sent again', async ([, misbehave]) => {
    const engine = await started(1)
    client.setEndpoint(engine.endpoint)
    const request = ask()
    await until(() => engine.received.length === 1)
    misbehave(engine)
    // The request's deadline runs again, and the retry.
    await until(() => clock.pendingTimers === 2)
    clock.advanceSync(50)
    await until(() => engine.received.length === 2)
    expect(engine.received[1]).toMatchObject({ id: 1, attempt: 2 })
    engine.answer(1, 1)
    await request
  })

  test('an engine of another incarnation is not taken', async () => {
    const engine = await started(1)
    client.setEndpoint({ ...engine.endpoint, incarnation: 2 })
    const request = ask()
    await until(() => engine.hellos === 1 && clock.pendingTimers === 2)
    expect(engine.received).toEqual([])
    client.close()
    await expect(request).rejects.toMatchObject({ code: 'ENG_UNAVAILABLE' })
  })

  test('refuses a picture that does not have the bytes of its size', async () => {
    const wrong = client.infer('m', { ...picture, width: 3 }, {})
    await expect(wrong).rejects.toMatchObject({ code: 'ENG_PROTOCOL' })
    expect(client.open).toBe(0)
  })

  test('close rejects every open request and leaves no timer', async () => {
    const engine = await started(1, { credits: 1 })
    client.setEndpoint(engine.endpoint)
    const asks = [ask(), ask()]
    await until(() => engine.received.length === 1)
    client.close()
    client.close()
    for (const request of asks) await expect(request).rejects.toMatchObject({ code: 'ENG_UNAVAILABLE' })
    await expect(client.infer('m', picture, {})).rejects.toMatchObject({ code: 'ENG_UNAVAILABLE' })
    expect(client.open).toBe(0)
    expect(clock.pendingTimers).toBe(0)
  })
})
