/**
 * What the daemon says of itself: events of the node, and its children in run.json. Runs in the daemon.
 */
import { toGrabberError } from '../core/errors.ts'
import { type EventData, NODE_CAMERA, toCloudEvent } from '../core/event.ts'
import type { Logger } from '../core/ports.ts'
import type { EventDesk } from './event-desk.ts'
import type { DataDir } from './store/data-dir.ts'

export class NodeWords {
  readonly #node: string
  readonly #events: EventDesk
  readonly #dataDir: DataDir
  readonly #logger: Logger
  #told = 0

  constructor(node: string, events: EventDesk, dataDir: DataDir, logger: Logger) {
    this.#node = node
    this.#events = events
    this.#dataDir = dataDir
    this.#logger = logger
  }

  /** Its key is unique over restarts of the daemon. */
  tell<T extends 'engine.state' | 'node.health'>(type: T, data: EventData<T>): void {
    const timeMs = Date.now()
    const key = `${process.pid}-${timeMs}-${++this.#told}`
    this.#events.tell(toCloudEvent({ type, node: this.#node, camera: NODE_CAMERA, key, timeMs, data }))
  }

  /** For the sweep after a kill. Hosts end with the daemon by themselves, so a list that cannot be written ends nobody. */
  note(name: string, pid: number | null): void {
    try {
      if (pid === null) this.#dataDir.removeChild(name)
      else this.#dataDir.addChild(name, pid)
    } catch (error) {
      this.#logger.warn({ child: name, error: toGrabberError(error).line }, 'run.json could not be written')
    }
  }
}
