/**
 * The bus that a configuration means, and the local nats-server under supervision when there is one. Runs in the daemon and
 * in commands that publish. Holds the data folder's lock through its owner: two servers on one store corrupt it.
 */
import type { ChildSpec, Exit } from '../actors/kernel/child.ts'
import { redactText } from '../config/redact.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { GrabberError } from '../core/errors.ts'
import type { EventBus, Logger } from '../core/ports.ts'
import { MemoryBus } from './bus/memory-bus.ts'
import { NatsBus } from './bus/nats-bus.ts'
import { type NatsServer, natsServerVersion, startNatsServer } from './bus/nats-server.ts'
import type { DataDir } from './store/data-dir.ts'

const CHILD = 'nats-server'
const SHUTDOWN_MS = 8000

export interface BusService {
  readonly bus: EventBus
  /** The local server; restarted on its port, to which its clients come back. */
  readonly child: ChildSpec | null
}

/** `url` as in the configuration: `auto`, `none` or `nats://…`. Says in run.json where subscribers connect. CFG_INVALID. */
export async function createBus(url: string, node: string, dataDir: DataDir, logger: Logger): Promise<BusService> {
  if (url === 'none') return { bus: new MemoryBus(logger), child: null }
  const clock = systemClock
  const name = `grabber ${node}`
  if (url !== 'auto') {
    const bus = new NatsBus({ url, name, logger, clock })
    dataDir.announce({ natsUrl: redactText(url) })
    return { bus, child: null }
  }
  if ((await natsServerVersion()) === undefined) {
    logger.warn({}, 'nats-server is not installed: events stay inside this process and its history')
    return { bus: new MemoryBus(logger), child: null }
  }
  const { promise, resolve: onUrl } = Promise.withResolvers<string>()
  const bus = new NatsBus({ url: promise, name, logger, clock })
  return { bus, child: serverChild({ dataDir, logger, clock, onUrl }) }
}

interface ServerParts {
  dataDir: DataDir
  logger: Logger
  clock: Clock
  /** After each start. */
  onUrl(url: string): void
}

function serverChild({ dataDir, logger, clock, onUrl }: ServerParts): ChildSpec {
  // Picked by the first start that succeeds, so that two daemons which start at once do not fight for one.
  let port: number | undefined
  return {
    id: CHILD,
    restart: 'permanent',
    shutdownMs: SHUTDOWN_MS,
    async start() {
      const again = port === undefined ? {} : { port }
      const server = await startNatsServer({ dataDir: dataDir.path, logger, clock, ...again })
      port = server.port
      dataDir.announce({ natsUrl: server.url })
      onUrl(server.url)
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
