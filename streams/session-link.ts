/**
 * A session's side of the control channel: numbered events with credits, questions with deadlines. Session host only.
 * Transport-free: `post` is Node's IPC in the host, an array in tests.
 */
import type { Clock } from '../core/clock.ts'
import { fromCoded, GrabberError } from '../core/errors.ts'
import type { FrameRecord, KeyframeRecord } from '../core/keyframe.ts'
import type { GalleryHit, Sighting } from '../core/observation.ts'
import { EVENT_CREDITS, type FromSession, type ToSession } from '../core/wire/control.ts'
import type { GraphEvent } from './graph-item.ts'

type SelectionRecord = FrameRecord | KeyframeRecord

/** Candidates a message: 2 kB each. */
const RECORD_BATCH = 16

interface Question {
  answer(message: Answer): void
  reject(error: GrabberError): void
}

type Answer = Extract<ToSession, { type: 'match.answer' | 'remember.answer' }>
type Asked = Extract<FromSession, { requestId: number }>

/** A message without its incarnation, which the link adds. */
type Unstamped<T> = T extends { incarnation: number } ? Omit<T, 'incarnation'> : never

type Unnumbered<T> = T extends { requestId: number } ? Omit<Unstamped<T>, 'requestId'> : never

export class SessionLink {
  readonly #incarnation: number
  readonly #clock: Clock
  readonly #post: (message: FromSession) => void
  #sent = 0
  readonly #records: SelectionRecord[] = []
  #acknowledged = 0
  #waiting: (() => void)[] = []
  #asked = 0
  #questions = new Map<number, Question>()

  constructor(incarnation: number, clock: Clock, post: (message: FromSession) => void) {
    this.#incarnation = incarnation
    this.#clock = clock
    this.#post = post
  }

  send(message: Unstamped<FromSession>): void {
    this.#post({ ...message, incarnation: this.#incarnation } as FromSession)
  }

  /** Sends an event as soon as there is a credit for it. */
  async event({ type, key, timeMs, ptsMs, data }: GraphEvent): Promise<void> {
    await this.#credit()
    this.send({ type: 'event', n: ++this.#sent, event: type, key, timeMs, ptsMs, data })
  }

  /** Sends records of candidates in batches, in order: a chosen one at once, others when there are enough. One call at a time. */
  async select(records: readonly SelectionRecord[]): Promise<void> {
    this.#records.push(...records)
    if (this.#records.length >= RECORD_BATCH || records.some(({ chosen }) => chosen)) await this.flushRecords()
  }

  /** Sends what `select` has kept back. */
  async flushRecords(): Promise<void> {
    if (this.#records.length === 0) return
    await this.#credit()
    this.send({ type: 'selection', n: ++this.#sent, records: this.#records.splice(0) })
  }

  /** The gallery's nearest subjects. Errors: ACT_DEADLINE, and what the gallery answers. */
  async match(embedding: Float32Array, k: number, deadlineMs: number): Promise<GalleryHit[]> {
    const answer = await this.#ask({ type: 'match', embedding, k }, deadlineMs)
    return answer.type === 'match.answer' ? answer.hits : []
  }

  /** The id of a person without a name; `null` when it cannot be told. The same errors. */
  async remember(sighting: Sighting, deadlineMs: number): Promise<string | null> {
    const answer = await this.#ask({ type: 'remember', sighting }, deadlineMs)
    return answer.type === 'remember.answer' ? answer.anonymous : null
  }

  /** Takes an answer from the daemon; other messages and other incarnations are not its business. */
  receive(message: ToSession): void {
    if (message.incarnation !== this.#incarnation) return
    if (message.type === 'ack') {
      this.#acknowledged = Math.max(this.#acknowledged, message.n)
      for (const resume of this.#waiting.splice(0)) resume()
    } else if (message.type === 'match.answer' || message.type === 'remember.answer') {
      this.#take(message.requestId)?.answer(message)
    } else if (message.type === 'match.failed' || message.type === 'remember.failed') {
      this.#take(message.requestId)?.reject(fromCoded(message.error))
    }
  }

  async #credit(): Promise<void> {
    while (this.#sent - this.#acknowledged >= EVENT_CREDITS) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  #ask(question: Unnumbered<Asked>, deadlineMs: number): Promise<Answer> {
    const requestId = ++this.#asked
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(deadlineMs, () => {
        this.#questions.delete(requestId)
        reject(new GrabberError('ACT_DEADLINE', `the gallery did not answer in ${deadlineMs} ms`))
      })
      this.#questions.set(requestId, {
        answer: (message) => {
          timer.cancel()
          resolve(message)
        },
        reject: (error) => {
          timer.cancel()
          reject(error)
        },
      })
      this.send({ ...question, requestId } as Unstamped<Asked>)
    })
  }

  #take(requestId: number): Question | undefined {
    const question = this.#questions.get(requestId)
    this.#questions.delete(requestId)
    return question
  }
}
