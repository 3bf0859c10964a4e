/**
 * Where events of the daemon go: the store first, then the bus through the outbox. Runs in the daemon.
 * Must never lose an event that it took: while there is no outbox the log keeps it.
 */

import type { RunningChild } from '../actors/kernel/child.ts'
import { Service } from '../actors/service.ts'
import type { Config } from '../config/schema.ts'
import { systemClock } from '../core/clock.ts'
import { type GrabberError, toGrabberError } from '../core/errors.ts'
import { type BreakerState, type CloudEvent, eventSubject } from '../core/event.ts'
import type { BusState, EventBus, Logger } from '../core/ports.ts'
import { DeadLetters } from './bus/dead-letters.ts'
import { Outbox } from './bus/outbox.ts'
import type { Metrics } from './ops/metrics.ts'
import { SqliteEventLog } from './store/events.ts'
import type { Store } from './store/sqlite.ts'

/** What still waits when the daemon stops goes out at the next start. */
const FLUSH_MS = 3000
const PRUNE_EVERY_MS = 1000
/** Between two batches while there is more to prune: 800 rows a second, faster than events come. */
const PRUNE_NEXT_MS = 20

/** The bus in the words of a circuit breaker: while it is open, events wait in the outbox. */
const busBreaker: Record<BusState, BreakerState> = {
  connected: 'closed',
  connecting: 'half-open',
  offline: 'open',
  closed: 'open',
}

export interface EventDeskParts {
  store: Store
  bus: EventBus
  config: Pick<Config, 'node'>
  /** Published events that are kept, as it is now. */
  historyRows(): number
  logger: Logger
  metrics: Metrics
}

export class EventDesk {
  readonly #parts: EventDeskParts
  readonly #log: SqliteEventLog
  #outbox: Outbox | undefined
  #storeFailed: (error: GrabberError) => void = () => undefined

  constructor(parts: EventDeskParts) {
    this.#parts = parts
    this.#log = new SqliteEventLog(parts.store)
    const { bus, metrics } = parts
    metrics.breaker('bus', busBreaker[bus.state])
    bus.onState((state) => metrics.breaker('bus', busBreaker[state]))
  }

  /** Events that wait to be published. */
  get depth(): number {
    return this.#log.depth()
  }

  onStoreFailure(listener: (error: GrabberError) => void): void {
    this.#storeFailed = listener
  }

  /** A store that cannot take an event is a defect of the node: its owner is told, and the caller must not go on. */
  submit(event: CloudEvent): void {
    const { node } = this.#parts.config
    try {
      if (this.#outbox) this.#outbox.submit(event)
      else this.#log.append(eventSubject(node, event.subject, event.type), event)
    } catch (error) {
      this.#storeFailed(toGrabberError(error))
      throw error
    }
  }

  /**
   * The same for words of the node itself (states, health), which come from timers and from children that are ending: a
   * failing store must not end those as well. Its owner is told all the same.
   */
  tell(event: CloudEvent): void {
    try {
      this.submit(event)
    } catch (error) {
      this.#parts.logger.error({ type: event.type, error: toGrabberError(error).line }, 'an event could not be stored')
    }
  }

  recent(limit: number, camera?: string): CloudEvent[] {
    return this.#log.recent(limit, camera).map(({ event }) => event)
  }

  /** The outbox as a child of the tree. */
  open(): RunningChild {
    const { bus, config, historyRows, logger, metrics } = this.#parts
    const dead = new DeadLetters({ bus, logger, onLetter: (reason) => metrics.deadLetter(reason) })
    const outbox = new Outbox({
      node: config.node,
      log: this.#log,
      bus,
      dead,
      clock: systemClock,
      onFailure: (error) => {
        clearTimeout(pruning)
        service.fail(toGrabberError(error))
      },
    })
    const prune = () => {
      try {
        const more = this.#log.prune(historyRows()) > 0
        pruning = setTimeout(prune, more ? PRUNE_NEXT_MS : PRUNE_EVERY_MS)
      } catch (error) {
        this.#storeFailed(toGrabberError(error))
        pruning = setTimeout(prune, PRUNE_EVERY_MS)
      }
    }
    let pruning = setTimeout(prune, PRUNE_EVERY_MS)
    const service = new Service({
      close: async () => {
        clearTimeout(pruning)
        if (bus.state === 'connected') await outbox.flush(FLUSH_MS)
        this.#outbox = undefined
        await outbox.close()
        await bus.close()
      },
      inspect: () => ({ bus: bus.state, waiting: this.#log.depth() }),
    })
    this.#outbox = outbox
    return service
  }
}
