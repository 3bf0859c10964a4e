/**
 * Events of a replay on the bus: through the running daemon when there is one, else through a bus and an outbox of our own
 * under the data folder's lock. Runs in commands.
 */
import { Supervisor } from '../../actors/kernel/supervisor.ts'
import { servicePolicy } from '../../actors/policies.ts'
import type { Config } from '../../config/schema.ts'
import { systemClock } from '../../core/clock.ts'
import { GrabberError, toGrabberError } from '../../core/errors.ts'
import type { CloudEvent } from '../../core/event.ts'
import { DeadLetters } from '../bus/dead-letters.ts'
import { Outbox } from '../bus/outbox.ts'
import { createBus } from '../bus-service.ts'
import { askDaemon } from '../http/control-client.ts'
import { DataDir, findOwner } from '../store/data-dir.ts'
import { SqliteEventLog } from '../store/events.ts'
import { openStore } from '../store/sqlite.ts'
import type { CliContext } from './context.ts'

/** How long the events may take to reach the server after the last one. */
const FLUSH_MS = 30_000

export interface Publication extends AsyncDisposable {
  submit(event: CloudEvent): void
  /** Resolves when all of them are on the bus. BUS_UNAVAILABLE when they are not: they wait in the outbox then. */
  finish(): Promise<void>
}

/** BUS_*, STO_*. */
export async function openPublication(context: CliContext, config: Config): Promise<Publication> {
  const owner = findOwner(config.data)
  if (owner?.controlSocket) return throughDaemon(owner.controlSocket)
  return ownBus(context, config)
}

function throughDaemon(socket: string): Publication {
  let sending: Promise<unknown> = Promise.resolve()
  return {
    submit(event) {
      sending = sending.then(() =>
        askDaemon(socket, { method: 'POST', path: '/control/events', body: { events: [event] } }),
      )
      // The failure is the result of `finish`; without a listener meanwhile Node would end the process.
      sending.catch(() => undefined)
    },
    async finish() {
      await sending
    },
    async [Symbol.asyncDispose]() {
      await sending.catch(() => undefined)
    },
  }
}

async function ownBus({ logger }: CliContext, config: Config): Promise<Publication> {
  await using opening = new AsyncDisposableStack()
  const dataDir = opening.use(await DataDir.acquire(config.data, { logger, clock: systemClock }))
  const store = opening.use(openStore(dataDir.database))
  const { bus, child } = await createBus(config.nats.url, config.node, dataDir, logger)
  opening.defer(() => bus.close())
  const supervisor = Supervisor.start(
    { ...servicePolicy, id: 'bus', children: child ? [child] : [] },
    { clock: systemClock, logger },
  )
  opening.defer(() => supervisor.stop())
  const outbox = new Outbox({
    node: config.node,
    log: new SqliteEventLog(store),
    bus,
    dead: new DeadLetters({ bus, logger }),
    clock: systemClock,
    onFailure: (error) => logger.error({ error: toGrabberError(error).line }, 'the outbox stopped'),
  })
  opening.defer(() => outbox.close())
  const open = opening.move()
  return {
    submit: (event) => void outbox.submit(event),
    async finish() {
      if (await outbox.flush(FLUSH_MS)) return
      throw new GrabberError('BUS_UNAVAILABLE', `${outbox.depth} events wait in the outbox`)
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}
