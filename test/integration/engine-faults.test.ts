/** The engine host under damage: killed, fed garbage, given a wrong model, told to stop in the middle of a run. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RgbPicture } from '../../core/frame.ts'
import { ENGINE_PROTOCOL, type FromEngineSocket, type ToEngineSocket } from '../../core/wire/engine.ts'
import type { EngineFigures } from '../../core/wire/engine-control.ts'
import { encodeFrame, FrameReader } from '../../core/wire/framing.ts'
import { viewMachine } from '../../models/devices.ts'
import { EngineClient } from '../../models/engine-client.ts'
import { type EngineProcess, forkEngine, modelPath, startEngine, until } from './support/engine.ts'
import { EngineProxy } from './support/engine-proxy.ts'

const engines: EngineProcess[] = []
const clients: EngineClient[] = []
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'faults-'))
})

afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  for (const engine of engines.splice(0)) await engine.kill()
  rmSync(folder, { recursive: true, force: true })
})

async function running(options = {}): Promise<EngineProcess> {
  const engine = await startEngine(options)
  engines.push(engine)
  return engine
}

function clientOf(engine: EngineProcess): EngineClient {
  const client = new EngineClient({ session: 'test', priority: 0, askDeadlineMs: 60_000 })
  clients.push(client)
  client.setEndpoint(engine.endpoint)
  return client
}

/** A connection that says what it likes. */
class RawSession {
  readonly answers: FromEngineSocket[] = []
  closed = false
  readonly #socket: Socket

  constructor(engine: EngineProcess) {
    const reader = new FrameReader<FromEngineSocket>()
    this.#socket = createConnection(engine.endpoint.socketPath)
    this.#socket.on('data', (chunk) => this.answers.push(...reader.push(chunk).map(({ header }) => header)))
    this.#socket.on('error', () => this.#socket.destroy())
    this.#socket.on('close', () => {
      this.closed = true
    })
  }

  bytes(data: Uint8Array): void {
    this.#socket.write(data)
  }

  send(header: object, payload?: Uint8Array): void {
    for (const part of encodeFrame(header, payload)) this.#socket.write(part)
  }

  hello(): void {
    this.send({ type: 'hello', protocol: ENGINE_PROTOCOL, session: 'raw', priority: 0 } satisfies ToEngineSocket)
  }

  infer(id: number, picture: RgbPicture, more: object = {}): void {
    const { width, height } = picture
    const header = { type: 'infer', id, model: 'yunet', width, height, params: {}, attempt: 1, expiresInMs: null }
    this.send({ ...header, ...more }, picture.data)
  }
}

const noise = (width: number, height: number, seed = 1): RgbPicture => {
  let state = seed
  const data = Uint8Array.from({ length: 3 * width * height }, () => {
    state = (state * 1103515245 + 12345) % 2147483648
    return state >> 16
  })
  return { width, height, data }
}
const small = noise(64, 64)
/** Keeps the device busy for a few tenths of a second. */
const large = noise(2048, 2048)

/** A session whose requests run one after another for about two seconds; resolves while one is running. */
async function occupy(engine: EngineProcess): Promise<RawSession> {
  const raw = new RawSession(engine)
  raw.hello()
  for (let id = 1; id <= 6; id++) raw.infer(id, large, { attempt: 2 })
  await engine.message('heartbeat', ({ figures }) => figures.runningForMs !== null)
  return raw
}

describe('the engine dies', () => {
  test('its open requests go to the next one, and every result arrives', async () => {
    const crops = Array.from({ length: 12 }, (_, n) => noise(128, 128, n + 1))
    const first = await running()
    const client = clientOf(first)
    const before = await Promise.all(crops.map((crop) => client.infer('face-reid-0095', crop, {})))
    // Stopped, so that the requests are surely open when it is killed.
    first.child.kill('SIGSTOP')
    const asked = Promise.all(crops.map((crop) => client.infer('face-reid-0095', crop, {})))
    await first.kill()
    expect(client.open).toBe(12)
    client.setEndpoint((await running()).endpoint)
    expect(await asked).toEqual(before)
  })

  test('killed in the middle of a run, twice: what was open both times is poison, the rest is served', async () => {
    const client = new EngineClient({ session: 'test', priority: 0, askDeadlineMs: 60_000 })
    clients.push(client)
    const open = [large, small, small].map((picture) => client.infer('yunet', picture, {}))
    for (const request of open) request.catch(() => undefined)
    const asked: number[][] = []
    for (const requests of [3, 1]) {
      const engine = await running()
      await occupy(engine)
      const proxy = await EngineProxy.before(engine.endpoint)
      client.setEndpoint(proxy.endpoint)
      await until('the requests to be on their way', () => proxy.asked.length >= requests)
      await engine.kill()
      asked.push(proxy.asked)
      proxy.close()
    }
    // One only the second time: those that saw an engine die go one by one.
    expect(asked).toEqual([[1, 2, 3], [1]])

    client.setEndpoint((await running()).endpoint)
    const [poison, ...others] = await Promise.allSettled(open)
    expect(poison).toMatchObject({ status: 'rejected', reason: { code: 'ENG_POISON' } })
    expect(others.every(({ status }) => status === 'fulfilled')).toBe(true)
  })
})

describe('a session misbehaves', () => {
  test.for<[string, (raw: RawSession) => void]>([
    ['sends garbage', (raw) => raw.bytes(Buffer.from('GET / HTTP/1.1\r\nHost: engine\r\n\r\n'))],
    ['announces 4 GB', (raw) => raw.bytes(Buffer.from('10000000ffffffff', 'hex'))],
    ['sends a header that is not JSON', (raw) => raw.bytes(Buffer.from('0200000000000000{{', 'latin1'))],
    ['sends a header of another shape', (raw) => raw.send({ type: 'infer', id: 'x' })],
    ['asks before its hello', (raw) => raw.infer(1, small)],
    ['speaks another version', (raw) => raw.send({ type: 'hello', protocol: 99, session: 'raw', priority: 0 })],
    [
      'sends fewer bytes than its picture has',
      (raw) => {
        raw.hello()
        raw.infer(1, { ...small, width: 65 })
      },
    ],
    [
      'uses an id twice',
      (raw) => {
        raw.hello()
        raw.infer(1, large)
        raw.infer(1, large)
      },
    ],
    [
      'overdraws its credits',
      (raw) => {
        raw.hello()
        for (let id = 1; id <= 4; id++) raw.infer(id, large)
      },
    ],
  ])('one that %s is disconnected, and the others are served', async ([, misbehave]) => {
    const engine = await running({ credits: 3 })
    const client = clientOf(engine)
    const raw = new RawSession(engine)
    const served = [1, 2, 3, 4].map((seed) => client.infer('face-reid-0095', noise(128, 128, seed), {}))
    misbehave(raw)
    await until('the end of the connection', () => raw.closed)
    expect((await Promise.all(served)).every(({ columns }) => columns === 256)).toBe(true)
    await client.infer('yunet', small, {})
    expect(engine.child.exitCode).toBe(null)
    expect(engine.stderr).toBe('')
  })

  test('one that leaves in the middle of a run is forgotten', async () => {
    const engine = await running()
    const raw = await occupy(engine)
    raw.bytes(Buffer.alloc(16, 255))
    await until('the end of the connection', () => raw.closed)
    expect((await clientOf(engine).infer('yunet', small, {})).columns).toBe(15)
    const done = ({ figures }: { figures: EngineFigures }) => figures.runningForMs === null && figures.queueDepth === 0
    const beat = await engine.message('heartbeat', (message) => message.figures.completed > 0 && done(message))
    expect(beat.figures.completed).toBeLessThan(7)
  })
})

describe('a request is refused', () => {
  test('a crop of the wrong size, without harm to those beside it', async () => {
    const client = clientOf(await running())
    const good = noise(128, 128)
    const [before, refused, after] = await Promise.allSettled([
      client.infer('face-reid-0095', good, {}),
      client.infer('face-reid-0095', noise(128, 96), {}),
      client.infer('face-reid-0095', good, {}),
    ])
    const message = expect.stringMatching(/128×128/)
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'ENG_PROTOCOL', message } })
    expect(before).toMatchObject({ status: 'fulfilled', value: { rows: 1, columns: 256 } })
    expect(after).toEqual(before)
  })

  test('a model that is not loaded', async () => {
    const client = clientOf(await running({ models: [{ id: 'yunet', path: modelPath('yunet') }] }))
    await expect(client.infer('face-reid-0095', noise(128, 128), {})).rejects.toMatchObject({ code: 'MDL_MISSING' })
    expect((await client.infer('yunet', small, {})).columns).toBe(15)
  })

  test('one that waited too long, and one for which the queue is full', async () => {
    const engine = await running({ batch: { max: 8, maxWaitMs: 100, targetLatencyMs: 200, queueLimit: 2 } })
    const raw = new RawSession(engine)
    raw.hello()
    raw.infer(1, large)
    raw.infer(2, small, { expiresInMs: 1 })
    raw.infer(3, small)
    raw.infer(4, small)
    await until('four answers', () => raw.answers.length === 5)
    const codes = Object.fromEntries(
      raw.answers.map((answer) => [
        'id' in answer ? answer.id : 0,
        answer.type === 'error' ? answer.error.code : answer.type,
      ]),
    )
    expect(codes).toMatchObject({ 0: 'welcome', 1: 'result', 2: 'ENG_EXPIRED', 3: 'result' })
    expect(['result', 'ENG_QUEUE_FULL']).toContain(codes[4])
    await engine.message('heartbeat', ({ figures }) => figures.expired === 1 && figures.completed >= 2)
  })
})

describe('starting', () => {
  test('a model with the wrong hash: failed MDL_HASH, and the process ends', async () => {
    const path = join(folder, 'yunet.onnx')
    copyFileSync(modelPath('yunet'), path)
    const bytes = readFileSync(path)
    bytes[bytes.length >> 1]! ^= 1
    writeFileSync(path, bytes)
    const engine = forkEngine()
    engines.push(engine)
    engine.start({ models: [{ id: 'yunet', path }] })
    const message = expect.stringContaining('yunet.onnx')
    expect((await engine.message('failed')).error).toMatchObject({ code: 'MDL_HASH', message })
    expect(await engine.exited).toEqual({ code: 1, signal: null })
    expect(engine.messages.some(({ type }) => type === 'ready')).toBe(false)
  })

  test.for<[string, object, string]>([
    ['a model that is not there', { models: [{ id: 'yunet', path: '/nowhere/yunet.onnx' }] }, 'MDL_MISSING'],
    ['a model that the manifest does not know', { models: [{ id: 'arcface', path: '/nowhere' }] }, 'MDL_INVALID'],
    ['a socket path that is too long', { socketPath: `/tmp/${'x'.repeat(200)}` }, 'ENG_START'],
  ])('%s fails with a code', async ([, options, code]) => {
    const engine = forkEngine()
    engines.push(engine)
    engine.start(options)
    expect((await engine.message('failed')).error.code).toBe(code)
    expect((await engine.exited).code).toBe(1)
  })

  test('says which device it took, and refuses GPUs that are not there', async () => {
    const bare = viewMachine().deviceNodes.every((name) => !/^(nvidia\d|renderD|dxg|nv)/.test(name))
    const engine = await running({ device: bare ? 'auto' : 'cpu' })
    const { device, models } = await engine.message('ready')
    expect(device.chosen).toBe('cpu')
    expect(device.refused.map((refusal) => refusal.device)).toEqual(bare ? ['cuda', 'webgpu'] : [])
    expect(models).toEqual(['yunet', 'face-reid-0095', 'minifasnet-v2', 'minifasnet-v1se'])
    expect(engine.stderr).toBe('')
  })

  test('only this user may connect', async () => {
    const engine = await running()
    expect(statSync(engine.endpoint.socketPath).mode & 0o077).toBe(0)
  })

  test('the heart beats', async () => {
    const engine = await running()
    const count = engine.messages.filter(({ type }) => type === 'heartbeat').length
    const beats = () => engine.messages.filter(({ type }) => type === 'heartbeat').length
    await until('two more beats', () => beats() >= count + 2)
    expect(engine.messages[0]).toEqual({ type: 'hello', incarnation: 0, pid: engine.child.pid })
  })
})

describe('ending', () => {
  test.for<[string, (engine: EngineProcess) => void]>([
    ['stop', (engine) => engine.send({ type: 'stop', incarnation: engine.endpoint.incarnation })],
    ['disconnect', (engine) => engine.child.disconnect()],
    ['SIGTERM', (engine) => engine.child.kill('SIGTERM')],
  ])('%s in the middle of a run: exit 0, and no socket is left', async ([, end]) => {
    const engine = await running()
    const raw = await occupy(engine)
    end(engine)
    expect(await engine.exited).toEqual({ code: 0, signal: null })
    expect(engine.stderr).toBe('')
    expect(raw.answers.some(({ type }) => type === 'error')).toBe(false)
    expect(engine.socketLeft).toBe(false)
  })

  test('an idle engine, and one that was never started, end at once', async () => {
    const idle = await running()
    idle.child.disconnect()
    expect(await idle.exited).toEqual({ code: 0, signal: null })
    const fresh = forkEngine()
    engines.push(fresh)
    await fresh.message('hello')
    fresh.child.disconnect()
    expect(await fresh.exited).toEqual({ code: 0, signal: null })
  })

  test('Ctrl-C does not end it, nor does a stop for another incarnation', async () => {
    const engine = await running()
    const client = clientOf(engine)
    engine.child.kill('SIGINT')
    engine.send({ type: 'stop', incarnation: engine.endpoint.incarnation + 1 })
    const beats = () => engine.messages.filter(({ type }) => type === 'heartbeat').length
    const count = beats()
    await until('two more beats', () => beats() >= count + 2)
    expect((await client.infer('yunet', small, {})).columns).toBe(15)
  })
})
