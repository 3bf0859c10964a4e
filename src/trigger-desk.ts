/**
 * Triggers from outside (`grabber.<node>.trigger.<camera>`: a door contact, another box's detector) to the cameras they name. Runs in
 * the daemon. What cannot be acted on becomes a dead letter, as many of them as a person can read. Must never log what a
 * trigger says: that is the sender's, and may name people.
 */
import { createHash } from 'node:crypto'
import { problemLine, problemsOf } from '../config/problem.ts'
import { idSchema } from '../config/schema.ts'
import type { Clock } from '../core/clock.ts'
import { type GrabberError, toGrabberError } from '../core/errors.ts'
import { NODE_CAMERA } from '../core/event.ts'
import type { BusMessage, EventBus, Logger } from '../core/ports.ts'
import type { DeadLetters } from './bus/dead-letters.ts'
import type { CameraDesk } from './camera-fleet.ts'
import { badRequest, readRequest } from './commands/read-request.ts'
import { type TriggerFields, triggerOf, triggerSchema } from './trigger-fields.ts'

/** A sender that is wrong is wrong each time: the first letters tell what is to be told. */
const LETTERS_AT_ONCE = 10
const LETTER_EVERY_MS = 10_000

export interface TriggerDeskOptions {
  node: string
  bus: Pick<EventBus, 'subscribe'>
  cameras: Pick<CameraDesk, 'trigger'>
  dead: DeadLetters
  clock: Clock
  logger: Logger
}

export class TriggerDesk {
  readonly #options: TriggerDeskOptions
  readonly #unsubscribe: () => void
  #letters = LETTERS_AT_ONCE
  #countedMs: number
  #untold = 0

  constructor(options: TriggerDeskOptions) {
    this.#options = options
    this.#countedMs = options.clock.monotonicMs()
    this.#unsubscribe = options.bus.subscribe(`grabber.${options.node}.trigger.*`, (message) => this.#take(message))
  }

  close(): void {
    this.#unsubscribe()
  }

  #take(message: BusMessage): void {
    const { cameras, logger } = this.#options
    const camera = message.subject.split('.').at(-1) ?? ''
    try {
      const woken = cameras.trigger(camera, triggerOf(readTrigger(message.data)))
      logger.debug({ camera, woken }, 'a trigger came')
    } catch (error) {
      this.#bury(message, camera, toGrabberError(error)).catch((failure: unknown) => {
        logger.warn({ camera, reason: toGrabberError(failure).message }, 'a dead letter was not written')
      })
    }
  }

  async #bury({ subject, headers, data }: BusMessage, camera: string, error: GrabberError): Promise<void> {
    if (error.code === 'ACT_DEFECT') throw error
    if (!this.#mayTell()) return
    const { node, dead } = this.#options
    await dead.bury({
      // The same words again are the same letter.
      id: createHash('sha256').update(subject).update('\0').update(data).digest('hex').slice(0, 32),
      node,
      camera: idSchema.safeParse(camera).success ? camera : NODE_CAMERA,
      reason: error.toJSON(),
      subject,
      message: { headers, data },
    })
  }

  /** A bucket of letters that fills again with time. */
  #mayTell(): boolean {
    const { clock, logger } = this.#options
    const earned = Math.floor((clock.monotonicMs() - this.#countedMs) / LETTER_EVERY_MS)
    this.#letters = Math.min(LETTERS_AT_ONCE, this.#letters + earned)
    this.#countedMs += earned * LETTER_EVERY_MS
    if (this.#letters === 0) {
      if (this.#untold++ === 0) logger.warn({}, 'more triggers that cannot be acted on are not told one by one')
      return false
    }
    this.#letters--
    if (this.#untold > 0)
      logger.warn({ triggers: this.#untold }, 'so many triggers could not be acted on, and were not told')
    this.#untold = 0
    return true
  }
}

/** API_BAD_REQUEST with every mistake. */
function readTrigger(data: Uint8Array): TriggerFields {
  const { input } = readRequest({ bytes: data })
  const result = triggerSchema.safeParse(input, { reportInput: true })
  if (result.success) return result.data
  throw badRequest(problemsOf(result.error.issues, triggerSchema).map(problemLine).join('; '))
}
