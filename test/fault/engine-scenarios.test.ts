/**
 * Real engine hosts under everything that can happen to them: killed, stopped, cut off, garbled, short of memory. Every
 * request has one fate. The same with time under control, and more of it: test/unit/models/dispatcher.test.ts.
 * Run again with GRABBER_SEED=… as printed.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock, within } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import type { RgbPicture } from '../../core/frame.ts'
import type { EngineStart } from '../../core/wire/engine-control.ts'
import { encodeFrame } from '../../core/wire/framing.ts'
import { EngineClient, type EngineClientOptions } from '../../models/engine-client.ts'
import { type EngineProcess, modelPath, startEngine, until } from '../integration/support/engine.ts'
import { EngineProxy } from '../integration/support/engine-proxy.ts'
import { plain, tinyModel } from '../integration/support/tiny-model.ts'

const seed = Number(process.env.GRABBER_SEED ?? Date.now() % 2 ** 31)

const cleanUps: (() => unknown)[] = []
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'scenario-'))
})

afterEach(async () => {
  for (let task = cleanUps.pop(); task !== undefined; task = cleanUps.pop()) await task()
  rmSync(folder, { recursive: true, force: true })
})

async function engineWith(options: Partial<EngineStart>): Promise<EngineProcess> {
  const engine = await startEngine(options)
  cleanUps.push(() => engine.kill())
  return engine
}

function clientOf(options: Partial<EngineClientOptions> = {}): EngineClient {
  const client = new EngineClient({ session: 'cam', priority: 1, askDeadlineMs: 60_000, ...options })
  cleanUps.push(() => client.close())
  return client
}

/** What became of a request; 'wrong' when it got somebody else's answer. */
async function fateOf(asked: Promise<{ data: Float32Array }>, [red, green, blue]: readonly number[]): Promise<string> {
  try {
    const { data } = await asked
    const norm = Math.hypot(red!, green!, blue!)
    const right = [blue!, green!, red!].every((value, n) => Math.abs(value / norm - data[n]!) < 1e-4)
    return right ? 'ok' : 'wrong'
  } catch (error) {
    return error instanceof GrabberError ? error.code : 'not coded'
  }
}

/** Engines one after the other behind proxies, as the daemon would keep them; sessions that ask meanwhile. */
class Scene {
  readonly clients: EngineClient[]
  readonly fates: Promise<string>[] = []
  readonly #models = [tinyModel(folder, 'tiny', 'mean')]
  #engine: EngineProcess | undefined
  #proxy: EngineProxy | undefined
  #asked = 0

  constructor(clients: EngineClient[]) {
    this.clients = clients
  }

  async start(): Promise<void> {
    this.#engine = await engineWith({ models: this.#models, batch: { ...generous, queueLimit: 1000 } })
    this.#proxy = await EngineProxy.before(this.#engine.endpoint)
    cleanUps.push(() => this.#proxy?.close())
    for (const client of this.clients) client.setEndpoint(this.#proxy.endpoint)
  }

  /** The engine is gone, and another one comes. */
  async replace(signal: 'SIGKILL' | 'SIGSTOP'): Promise<void> {
    this.#engine?.child.kill(signal)
    this.ask(0, 2)
    await this.#engine?.kill()
    for (const client of this.clients) client.setEndpoint(null)
    this.#proxy?.close()
    await this.start()
  }

  ask(client: number, count: number): void {
    for (let n = 0; n < count; n++) {
      const colour = [1 + (this.#asked % 250), 1 + ((this.#asked * 7) % 250), 200] as const
      this.#asked++
      const picture: RgbPicture = plain(...colour)
      this.fates.push(fateOf(this.clients[client]!.infer('tiny', picture, {}), colour))
    }
  }

  /** Lets some of it happen, if anything does: after too much garbage a client waits for the next engine. */
  async anyAnswer(): Promise<void> {
    const open = this.fates.slice(-20)
    if (open.length > 0) await within(systemClock, 500, Promise.race(open))
  }

  cut(): void {
    this.#proxy?.cut()
  }

  say(bytes: Uint8Array): void {
    this.#proxy?.say(bytes)
  }

  /** The engine's own view, once it is idle. */
  async idle() {
    const beats = this.#engine!.messages.length
    const now = ({ figures }: { figures: { queueDepth: number; runningForMs: number | null } }) =>
      figures.queueDepth === 0 && figures.runningForMs === null
    await until('a fresh heartbeat', () =>
      this.#engine!.messages.slice(beats).some((message) => message.type === 'heartbeat' && now(message)),
    )
  }
}

const generous = { max: 8, maxWaitMs: 100, targetLatencyMs: 60_000, queueLimit: 1000 }

const garbage = fc.constantFrom<Uint8Array>(
  Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
  Buffer.alloc(64, 255),
  Buffer.concat(encodeFrame({ type: 'result', id: 'x' })),
  Buffer.concat(encodeFrame({ type: 'result', id: 1, rows: 2, columns: 2 }, new Uint8Array(3))),
  Buffer.concat(encodeFrame({ type: 'error', id: 1, error: { code: 'NO_SUCH', message: '', remedy: '' } })),
  Buffer.concat(encodeFrame({ type: 'welcome', incarnation: 77, credits: 1_000_000 })),
)

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      client: fc.nat(2),
      count: fc.integer({ min: 1, max: 12 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cut' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('say' as const), bytes: garbage }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('SIGKILL' as const, 'SIGSTOP' as const) }) },
)

test(`whatever happens to engines and sockets, each request has one fate (GRABBER_SEED=${seed})`, async () => {
  process.stderr.write(`engine scenarios: GRABBER_SEED=${seed}\n`)
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 14 }), async (steps) => {
      const patient = () => clientOf()
      const scene = new Scene([patient(), patient(), clientOf({ expiresInMs: 20_000 })])
      await scene.start()
      for (const one of steps) {
        if (one.do === 'ask') scene.ask(one.client, one.count)
        else if (one.do === 'settle') await scene.anyAnswer()
        else if (one.do === 'cut') scene.cut()
        else if (one.do === 'say') scene.say(one.bytes)
        else await scene.replace(one.do)
      }
      // Retries at one endpoint are few: the daemon's next word is a fresh engine.
      await scene.replace('SIGKILL')
      scene.ask(0, 3)
      const fates = await Promise.all(scene.fates)
      expect(fates.filter((fate) => !['ok', 'ENG_POISON', 'ENG_EXPIRED'].includes(fate))).toEqual([])
      expect(fates.slice(-3)).toEqual(['ok', 'ok', 'ok'])
      expect(scene.clients.map(({ open }) => open)).toEqual([0, 0, 0])
      await scene.idle()
    }),
    { numRuns: 4, seed, endOnFailure: true },
  )
}, 120_000)

test('an engine that is stopped holds nobody past a deadline, and serves on when it wakes', async () => {
  const engine = await engineWith({ models: [tinyModel(folder, 'tiny', 'mean')] })
  const client = clientOf({ expiresInMs: 200 })
  client.setEndpoint(engine.endpoint)
  expect(await fateOf(client.infer('tiny', plain(9, 8, 7), {}), [9, 8, 7])).toBe('ok')
  engine.child.kill('SIGSTOP')
  const colours = Array.from({ length: 20 }, (_, n) => [n + 1, 5, 5] as const)
  const fates = await Promise.all(colours.map((colour) => fateOf(client.infer('tiny', plain(...colour), {}), colour)))
  expect(new Set(fates)).toEqual(new Set(['ENG_EXPIRED']))
  engine.child.kill('SIGCONT')
  const patient = clientOf()
  patient.setEndpoint(engine.endpoint)
  expect(await fateOf(patient.infer('tiny', plain(1, 2, 3), {}), [1, 2, 3])).toBe('ok')
})

describe('short of memory for real', () => {
  const side = 1024
  const picture = { width: side, height: side, data: new Uint8Array(3 * side * side).fill(100) }

  async function limited(extraBytes: number) {
    const models = [{ id: 'yunet', path: modelPath('yunet') }]
    const engine = await engineWith({ models, batch: generous })
    const clients = [1, 2, 3, 4].map((n) => clientOf({ session: `cam${n}` }))
    for (const client of clients) client.setEndpoint(engine.endpoint)
    await Promise.all(
      clients.map((client) =>
        client.infer('yunet', { ...picture, width: 64, data: picture.data.subarray(0, 3 * 64 * side) }, {}),
      ),
    )
    const status = readFileSync(`/proc/${engine.child.pid}/status`, 'utf8')
    const usedBytes = 1024 * Number(/VmSize:\s+(\d+)/.exec(status)![1])
    execFileSync('prlimit', ['--pid', String(engine.child.pid), `--as=${usedBytes + extraBytes}`])
    return { engine, clients }
  }

  test('the batch is halved until it fits: everybody is served', async () => {
    const { engine, clients } = await limited(200 * 1024 * 1024)
    const asked = clients.flatMap((client) => Array.from({ length: 6 }, () => client.infer('yunet', picture, {})))
    expect((await Promise.all(asked)).every(({ columns }) => columns === 15)).toBe(true)
    const beat = await engine.message('heartbeat', ({ figures }) => figures.completed === 28)
    expect(beat.figures.failed).toBe(0)
    expect(beat.figures.models.yunet!.batchCap).toBeLessThan(8)
  })

  test('with hardly any left it refuses with a code or dies; the next engine serves', async () => {
    const { engine, clients } = await limited(8 * 1024 * 1024)
    const asked = clients.flatMap((client) => Array.from({ length: 2 }, () => client.infer('yunet', picture, {})))
    const settled = Promise.allSettled(asked)
    const first = await Promise.race([settled.then(() => 'answered'), engine.exited.then(() => 'died')])
    if (first === 'died') {
      const next = await engineWith({ models: [{ id: 'yunet', path: modelPath('yunet') }], batch: generous })
      for (const client of clients) client.setEndpoint(next.endpoint)
    }
    for (const one of await settled) {
      // Two engines may die under the same request before it is refused.
      if (one.status === 'rejected') expect(['ENG_MEMORY', 'ENG_POISON']).toContain(one.reason.code)
    }
  })
})
