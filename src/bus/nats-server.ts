/**
 * A local nats-server as a child: binary, port, configuration, start and stop. Owns data/nats.
 * Runs in the daemon, whose owner restarts it. Must never run twice on one folder (two servers on one store corrupt it), nor
 * listen beyond loopback.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Clock, delay, within } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import type { Logger } from '../../core/ports.ts'
import { commandLine, end, identify } from '../store/process-identity.ts'
import { choosePort, readServerName } from './nats-port.ts'

const HOST = '127.0.0.1'
const START_LIMIT_MS = 10_000
const STOP_LIMIT_MS = 5000
const POLL_MS = 25
/** Ports tried when another program takes the chosen one between our look and the server's bind. */
const START_ATTEMPTS = 3
const MAX_PAYLOAD_BYTES = 1024 * 1024
/** Above what the streams reserve (src/bus/streams.ts), with room for a user's own. */
const MAX_STORE_BYTES = 4 * 1024 ** 3

export interface NatsServerOptions {
  dataDir: string
  logger: Logger
  clock: Clock
  /** That port or none, for a restart to which clients come back; otherwise 4222 or a free one. */
  port?: number
  /** HTTP monitoring on loopback, for debugging. */
  monitoringPort?: number
}

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

/** `exited` settles when the process is gone, for whatever reason. `stop` is SIGTERM, then SIGKILL; idempotent. */
export interface NatsServer {
  readonly url: string
  readonly port: number
  readonly pid: number
  readonly exited: Promise<Exit>
  stop(): Promise<Exit>
}

/** BUS_START with the server's last words when it does not come up within 10 s. The caller holds the data folder's lock. */
export async function startNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  const folder = join(options.dataDir, 'nats')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  await endLeftOver(folder, options)
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await choosePort(HOST))
    try {
      return await startOn(port, folder, options)
    } catch (error) {
      const taken = error instanceof GrabberError && error.message.includes('address already in use')
      if (!taken || options.port !== undefined || attempt === START_ATTEMPTS) throw error
      options.logger.info({ port }, 'the port was taken meanwhile; trying another')
    }
  }
}

/** Version line of the installed nats-server; `undefined` when there is none on PATH. */
export function natsServerVersion(): Promise<string | undefined> {
  return versionOf('nats-server')
}

async function startOn(port: number, folder: string, options: NatsServerOptions): Promise<NatsServer> {
  const { clock, logger } = options
  const name = `grabber-${randomBytes(6).toString('hex')}`
  const config = configPath(folder)
  await rename(logPath(folder), `${logPath(folder)}.1`).catch(ignoreAbsent)
  writeFileSync(`${config}.partial`, configText(name, port, folder, options.monitoringPort), { mode: 0o600 })
  renameSync(`${config}.partial`, config)
  const server = await launch(config)
  const exited = server.exited
  // A terminal's Ctrl-C must not reach it before the outbox is flushed: `detached` gives it a process group of its own.
  const ready = await untilReady(port, name, exited, clock)
  if (!ready) {
    await stopChild(server.child, exited, clock)
    throw await startError(folder)
  }
  logger.info({ port, serverPid: server.pid }, 'nats-server is up')
  return {
    url: `nats://${HOST}:${port}`,
    port,
    pid: server.pid,
    exited,
    stop: () => stopChild(server.child, exited, clock),
  }
}

async function launch(config: string): Promise<{ child: ChildProcess; pid: number; exited: Promise<Exit> }> {
  const command = ['nats-server', '-c', config]
  // Where util-linux is there, the kernel ends the server with its parent; elsewhere the sweep at the next start does.
  const wrapper = (await versionOf('setpriv')) === undefined ? [] : ['setpriv', '--pdeathsig', 'KILL', '--']
  const [program, ...words] = [...wrapper, ...command] as [string, ...string[]]
  const child = spawn(program, words, { stdio: 'ignore', detached: true })
  const exited = once(child, 'exit').then(([code, signal]): Exit => ({ code, signal }))
  try {
    await once(child, 'spawn')
  } catch (cause) {
    exited.catch(() => undefined)
    throw new GrabberError('BUS_START', 'nats-server cannot be run', {
      cause,
      remedy: 'install nats-server, or set nats.url to a server or to none',
    })
  }
  return { child, pid: child.pid!, exited }
}

/** Its name in the greeting tells our server from any other that took the port. */
async function untilReady(port: number, name: string, exited: Promise<Exit>, clock: Clock): Promise<boolean> {
  const deadlineMs = clock.monotonicMs() + START_LIMIT_MS
  let alive = true
  const gone = exited.then(() => {
    alive = false
  })
  while (alive && clock.monotonicMs() < deadlineMs) {
    if ((await readServerName(HOST, port)) === name) return true
    await Promise.race([delay(clock, POLL_MS), gone])
  }
  return false
}

async function stopChild(child: ChildProcess, exited: Promise<Exit>, clock: Clock): Promise<Exit> {
  child.kill('SIGTERM')
  if ((await within(clock, STOP_LIMIT_MS, exited)) === undefined) child.kill('SIGKILL')
  return exited
}

/**
 * A daemon killed between the start of its server and the entry in run.json leaves one that the sweep does not know. The
 * command line, with our configuration's path in it, proves that it is ours.
 */
async function endLeftOver(folder: string, { clock, logger }: NatsServerOptions): Promise<void> {
  const text = await readFile(join(folder, 'nats.pid'), 'utf8').catch(ignoreAbsent)
  const left = identify(Number.parseInt(text ?? '', 10))
  if (left === undefined || !commandLine(left.pid)?.split('\0').includes(configPath(folder))) return
  if (await end(left, clock)) logger.warn({ serverPid: left.pid }, 'ended a nats-server that was left over')
}

async function startError(folder: string): Promise<GrabberError> {
  const log = (await readFile(logPath(folder), 'utf8').catch(ignoreAbsent)) ?? ''
  const fatal = log
    .trim()
    .split('\n')
    .findLast((line) => /\[(FTL|ERR)\]/.test(line))
  const message = fatal?.replace(/^.*\[(FTL|ERR)\] /, '') ?? `nothing answered within ${START_LIMIT_MS / 1000} s`
  return new GrabberError('BUS_START', `nats-server did not start: ${message}`, { context: { log: logPath(folder) } })
}

/** https://docs.nats.io/running-a-nats-service/configuration; JSON strings are valid in its syntax. */
function configText(name: string, port: number, folder: string, monitoringPort: number | undefined): string {
  const path = (file: string) => JSON.stringify(join(folder, file))
  const lines = [
    `server_name: ${name}`,
    `listen: "${HOST}:${port}"`,
    `pid_file: ${path('nats.pid')}`,
    `log_file: ${JSON.stringify(logPath(folder))}`,
    `max_payload: ${MAX_PAYLOAD_BYTES}`,
    `jetstream { store_dir: ${path('jetstream')}, max_file_store: ${MAX_STORE_BYTES} }`,
  ]
  if (monitoringPort !== undefined) lines.push(`http: "${HOST}:${monitoringPort}"`)
  return `${lines.join('\n')}\n`
}

const configPath = (folder: string) => join(folder, 'nats.conf')
const logPath = (folder: string) => join(folder, 'nats.log')

async function versionOf(program: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(program, ['--version'])
    return stdout.trim()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new GrabberError('BUS_START', `${program} --version fails`, { cause: error })
  }
}

function ignoreAbsent(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
  throw error
}
