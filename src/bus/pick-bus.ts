/**
 * Which bus a configuration means. Runs in the daemon, which owns and restarts the local server that may come with it.
 */
import type { Clock } from '../../core/clock.ts'
import type { EventBus, Logger } from '../../core/ports.ts'
import { MemoryBus } from './memory-bus.ts'
import { NatsBus } from './nats-bus.ts'
import { type NatsServer, natsServerVersion, startNatsServer } from './nats-server.ts'

export interface PickBusOptions {
  /** `auto`, `none`, or `nats://…` (CONTRACT, nats.url). */
  url: string
  node: string
  dataDir: string
  logger: Logger
  clock: Clock
}

/** `server` is the local one when there is one; closing the bus does not stop it. BUS_START, CFG_INVALID. */
export async function pickBus(options: PickBusOptions): Promise<{ bus: EventBus; server: NatsServer | null }> {
  const { url, node, logger, clock } = options
  const name = `grabber ${node}`
  if (url === 'none') return { bus: new MemoryBus(logger), server: null }
  if (url !== 'auto') return { bus: new NatsBus({ url, name, logger, clock }), server: null }
  if ((await natsServerVersion()) === undefined) {
    logger.warn({}, 'nats-server is not installed: events stay inside this process and its history')
    return { bus: new MemoryBus(logger), server: null }
  }
  const server = await startNatsServer(options)
  return { bus: new NatsBus({ url: server.url, name, logger, clock }), server }
}
