/**
 * The dead letters on the stream GRABBER_DEAD, for a person: list, publish again, forget. Runs in commands. A letter leaves the stream
 * only after what it tells of is stored again, or when the person says so.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../config/schema.ts'
import { systemClock } from '../../core/clock.ts'
import { GrabberError, toGrabberError } from '../../core/errors.ts'
import type { CloudEvent } from '../../core/event.ts'
import { type ReadLetter, readLetter } from '../bus/dead-letter.ts'
import { toMessage } from '../bus/event-message.ts'
import { NatsLink } from '../bus/nats-link.ts'
import type { StoredMessage } from '../bus/stored-message.ts'
import { deadStream } from '../bus/streams.ts'
import { EventHistory } from '../store/event-history.ts'
import type { CliContext } from './context.ts'
import { natsAddress } from './events-address.ts'

const STREAM = deadStream.name
const listAdvice = { remedy: 'see `grabber events dead list`' }
const dropAdvice = { remedy: 'drop it with `grabber events dead drop`' }

export interface Letter extends StoredMessage {
  /** `undefined` when somebody else's message lies in our stream. */
  letter: ReadLetter | undefined
}

type LetterEvent = Extract<ReadLetter, { event: unknown }>['event']

/** Closes its connection when it is disposed. */
export class DeadDesk implements AsyncDisposable {
  readonly #link: NatsLink
  readonly #config: Config

  private constructor(link: NatsLink, config: Config) {
    this.#link = link
    this.#config = config
  }

  /** BUS_*. */
  static async open(config: Config, url: string | undefined): Promise<DeadDesk> {
    return new DeadDesk(await NatsLink.connect(natsAddress(config, url), 'grabber events dead'), config)
  }

  async list(): Promise<Letter[]> {
    const range = await this.#link.range(STREAM)
    if (range === undefined || range.messages === 0) return []
    const cursor = await this.#link.open(STREAM, '>', { seq: range.first })
    const letters: Letter[] = []
    for await (const stored of cursor.read(cursor.pending)) {
      letters.push({ ...stored, letter: readLetter(stored.data) })
    }
    await cursor.close()
    return letters
  }

  /** Goes on after a letter that cannot be dealt with; then throws with the first code. `work` first, then it is removed. */
  async each(
    { stdout, stderr }: CliContext,
    seqs: readonly number[] | 'all',
    work: (letter: Letter) => Promise<string>,
  ): Promise<void> {
    const letters = seqs === 'all' ? await this.list() : await Promise.all(seqs.map((seq) => this.#letter(seq)))
    const failures: GrabberError[] = []
    for (const [index, letter] of letters.entries()) {
      const seq = letter?.seq ?? (seqs as number[])[index]
      try {
        if (letter === undefined) throw new GrabberError('API_NOT_FOUND', 'there is no such dead letter', listAdvice)
        const outcome = await work(letter)
        await this.#link.remove(STREAM, letter.seq)
        stdout.write(`${seq}: ${outcome}\n`)
      } catch (error) {
        const coded = toGrabberError(error)
        failures.push(coded)
        if (letters.length > 1) stderr.write(`${seq}: ${coded.line}\n`)
      }
    }
    const [first] = failures
    if (first && letters.length === 1) throw first
    if (first)
      throw new GrabberError(first.code, `${failures.length} of ${letters.length} letters stay`, { cause: first })
  }

  /** An event is stored on its stream; a message that came from outside is sent to its subject once more. BUS_*. */
  async replay({ letter }: Letter): Promise<string> {
    if (letter === undefined) throw new GrabberError('BUS_REFUSED', 'this message is no dead letter', dropAdvice)
    if ('event' in letter) {
      const { duplicate } = await this.#link.store(toMessage(letter.subject, this.#whole(letter.event)))
      return duplicate ? 'was stored already' : 'stored'
    }
    const { headers, dataBase64 } = letter.message
    if (dataBase64 === null) throw new GrabberError('BUS_REFUSED', 'the letter is without its content', dropAdvice)
    this.#link.publish({ subject: letter.subject, headers, data: Buffer.from(dataBase64, 'base64') })
    await this.#link.flush()
    return 'sent'
  }

  /** An event that was too large for its letter is in the history of the node that made it. */
  #whole(event: LetterEvent): CloudEvent {
    if (event.data !== null) return event as CloudEvent
    const path = join(this.#config.data, 'grabber.db')
    if (existsSync(path)) {
      using history = EventHistory.open(path)
      const found = history.find(event.id)
      if (found) return found
    }
    throw new GrabberError('BUS_REFUSED', 'the letter is without its content, and it is not in the history here', {
      remedy: 'run this on the node that wrote it, or drop the letter',
    })
  }

  async #letter(seq: number): Promise<Letter | undefined> {
    const stored = await this.#link.message(STREAM, seq)
    return stored && { ...stored, letter: readLetter(stored.data) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link.close(systemClock)
  }
}
