/**
 * The bus that a configuration means, and the local nats-server under supervision when there is one. Runs in the daemon and
 * in commands that publish. Holds the data folder's lock through its owner: two servers on one store corrupt it.
 */
import type { ChildSpec, Exit } from '../actors/kernel/child.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { GrabberError } from '../core/errors.ts'
import type { EventBus, Logger } from '../core/ports.ts'
import { MemoryBus } from './bus/memory-bus.ts'
import { NatsBus } from './bus/nats-bus.ts'
import { choosePort } from './bus/nats-port.ts'
import { type NatsServer, natsServerVersion, startNatsServer } from './bus/nats-server.ts'
import type { DataDir } from './store/data-dir.ts'

const HOST = '127.0.0.1'
const CHILD = 'nats-server'
const SHUTDOWN_MS = 8000

export interface BusService {
  readonly bus: EventBus
  /** Where subscribers connect; `null` for the bus in process. */
  readonly url: string | null
  /** The local server; restarted on its port, to which its clients come back. */
  readonly child: ChildSpec | null
}

/** `url` as in the configuration: `auto`, `none` or `nats://…`. CFG_INVALID. */
export async function createBus(url: string, node: string, dataDir: DataDir, logger: Logger): Promise<BusService> {
  if (url === 'none') return { bus: new MemoryBus(logger), url: null, child: null }
  const clock = systemClock
  const name = `grabber ${node}`
  if (url !== 'auto') return { bus: new NatsBus({ url, name, logger, clock }), url, child: null }
  if ((await natsServerVersion()) === undefined) {
    logger.warn({}, 'nats-server is not installed: events stay inside this process and its history')
    return { bus: new MemoryBus(logger), url: null, child: null }
  }
  const port = await choosePort(HOST)
  const local = `nats://${HOST}:${port}`
  const { promise: after, resolve: onTried } = Promise.withResolvers<void>()
  const bus = new NatsBus({ url: local, name, logger, clock, after })
  return { bus, url: local, child: serverChild({ port, dataDir, logger, clock, onTried }) }
}

interface ServerParts {
  port: number
  dataDir: DataDir
  logger: Logger
  clock: Clock
  /** After each start, whether it came up or not. */
  onTried(): void
}

function serverChild({ port, dataDir, logger, clock, onTried }: ServerParts): ChildSpec {
  return {
    id: CHILD,
    restart: 'permanent',
    shutdownMs: SHUTDOWN_MS,
    async start() {
      const server = await startNatsServer({ dataDir: dataDir.path, logger, clock, port }).finally(onTried)
      dataDir.addChild(CHILD, server.pid)
      let stopping = false
      return {
        exited: server.exited.then((): Exit => {
          dataDir.removeChild(CHILD)
          return stopping ? { kind: 'shutdown' } : { kind: 'crash', error: died(server) }
        }),
        async stop() {
          stopping = true
          await server.stop()
        },
        inspect: () => ({ pid: server.pid, url: server.url }),
      }
    },
  }
}

function died({ pid }: NatsServer): GrabberError {
  return new GrabberError('BUS_UNAVAILABLE', `nats-server (pid ${pid}) ended`)
}
