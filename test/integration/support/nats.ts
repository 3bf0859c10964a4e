/**
 * Real nats-servers and folders for tests. Everything made here is ended and removed by `cleanUp`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect } from 'nats'
import { systemClock } from '../../../core/clock.ts'
import { type CloudEvent, toCloudEvent } from '../../../core/event.ts'
import type { Logger } from '../../../core/ports.ts'
import { choosePort, readServerName } from '../../../src/bus/nats-port.ts'
import { type NatsServer, startNatsServer } from '../../../src/bus/nats-server.ts'

export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
}

/** Keeps what was logged at 'warn' and above. */
export function recordingLogger(): Logger & { lines: { fields: object; message: string }[] } {
  const lines: { fields: object; message: string }[] = []
  const keep = (fields: object, message: string) => void lines.push({ fields, message })
  const logger = { lines, debug() {}, info() {}, warn: keep, error: keep, child: () => logger }
  return logger
}

const cleanUps: (() => unknown)[] = []
export const onCleanUp = (task: () => unknown) => void cleanUps.push(task)

/** In `afterEach`: last made, first ended. */
export async function cleanUp(): Promise<void> {
  for (let task = cleanUps.pop(); task !== undefined; task = cleanUps.pop()) await task()
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'grabber-test-'))
  onCleanUp(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export async function localServer(dataDir = temporaryFolder(), port?: number): Promise<NatsServer> {
  const server = await startNatsServer({ dataDir, logger: silentLogger, clock: systemClock, ...(port && { port }) })
  onCleanUp(() => server.stop())
  return server
}

/** A server with a configuration of its own, JetStream included; `lines` are added to it. */
export async function configuredServer(
  lines: string,
  storeDir = temporaryFolder(),
  port?: number,
): Promise<TestServer> {
  const config = join(storeDir, 'test.conf')
  const chosen = port ?? (await freePort())
  writeFileSync(config, `listen: "127.0.0.1:${chosen}"\njetstream { store_dir: "${storeDir}" }\n${lines}\n`)
  const child = spawn('nats-server', ['-c', config], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
  }
  onCleanUp(stop)
  await until('the server answers', async () => (await readServerName('127.0.0.1', chosen)) !== undefined)
  return { port: chosen, storeDir, url: (user = '') => `nats://${user}127.0.0.1:${chosen}`, stop }
}

export interface TestServer {
  port: number
  storeDir: string
  /** `user` as `name:password@`. */
  url(user?: string): string
  stop(): Promise<void>
}

/** A port on which nobody listens. */
export const freePort = () => choosePort('127.0.0.1')

/** Resolves when `condition` holds; fails with `what` after the deadline. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = 20_000,
): Promise<void> {
  const deadline = performance.now() + limitMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not in time: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export function motionEvent(key: string | number, camera = 'lobby', node = 'edge'): CloudEvent<'motion'> {
  return toCloudEvent({
    type: 'motion',
    node,
    camera,
    key: String(key),
    timeMs: 1_700_000_000_000,
    data: { phase: 'start', areaRatio: 0.25, frame: { seq: 1, ptsMs: 40, width: 640, height: 360 } },
  })
}

/** Message ids of a stream, in its order; read with a plain client of its own. */
export async function storedIds(at: string | ConnectionOptions, stream = 'GRABBER_EVENTS'): Promise<string[]> {
  const connection = await connect(typeof at === 'string' ? { servers: at } : at)
  try {
    const manager = await connection.jetstreamManager()
    const { state } = await manager.streams.info(stream)
    const ids: string[] = []
    for (let seq = state.first_seq; seq <= state.last_seq && state.messages > 0; seq++) {
      ids.push((await manager.streams.getMessage(stream, { seq })).header.get('ce-id'))
    }
    return ids
  } finally {
    await connection.close()
  }
}
