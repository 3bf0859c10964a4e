/**
 * The way into the dead-letter stream: for events that the server refuses, and for messages from outside that cannot be acted on.
 * Runs in the daemon and in commands that publish. Must never lose a letter without saying so, nor hold up what works.
 */
import { GrabberError } from '../../core/errors.ts'
import type { EventBus, Logger } from '../../core/ports.ts'
import { type DeadLetter, letterMessage } from './dead-letter.ts'

export interface DeadLettersOptions {
  bus: Pick<EventBus, 'publishStored'>
  logger: Logger
  /** Counts: the code of the letter's reason, or LETTER_REFUSED when the letter itself was not taken. */
  onLetter?(reason: string): void
}

/** Reason under which letters are counted that the server would not take either. */
export const LETTER_REFUSED = 'LETTER_REFUSED'

export class DeadLetters {
  readonly #options: DeadLettersOptions

  constructor(options: DeadLettersOptions) {
    this.#options = options
  }

  /**
   * Resolves when the letter is stored, or when the server will not take it even without its content: that is logged, and
   * trying again would not help. BUS_UNAVAILABLE while the bus is away: the caller still has it.
   */
  async bury(letter: DeadLetter): Promise<void> {
    const { logger, onLetter } = this.#options
    const { id, subject, reason } = letter
    const refusal = (await this.#refusal(letter, true)) && (await this.#refusal(letter, false))
    const fields = { code: reason.code, id, subject, reason: reason.message }
    if (refusal === undefined) logger.error(fields, 'a dead letter was written')
    else logger.error({ ...fields, letter: refusal.message }, 'a dead letter was refused: what it tells of is lost')
    onLetter?.(refusal === undefined ? reason.code : LETTER_REFUSED)
  }

  async #refusal(letter: DeadLetter, whole: boolean): Promise<GrabberError | undefined> {
    try {
      await this.#options.bus.publishStored(letterMessage(letter, whole))
      return undefined
    } catch (error) {
      if (error instanceof GrabberError && error.code === 'BUS_REFUSED') return error
      throw error
    }
  }
}
