/**
 * A session host's way to the engine: sends pictures, waits for credits, and carries requests over from an engine that
 * died to the next one (docs/protocol.md, "The connection closes"). Runs in session hosts.
 * Must never lose a request: each promise settles, at its deadline whatever the engine does, at the latest on `close()`. The
 * line of requests is bounded by the callers, who wait for their promises.
 */
import { type Clock, systemClock, type Timer } from '../core/clock.ts'
import { fromCoded, GrabberError } from '../core/errors.ts'
import type { RgbPicture } from '../core/frame.ts'
import type { InferenceEngine, InferResult } from '../core/ports.ts'
import type { EngineEndpoint, EngineNews } from '../core/wire/control.ts'
import type { InferParams } from '../core/wire/engine.ts'
import { type EngineAnswer, EngineConnection } from './engine-connection.ts'

/** Waits before another try at the same endpoint; after the last one only a new endpoint helps. */
const RETRY_MS = [50, 100, 200, 400, 800] as const
/** Engines that may die under a request before it is held to be the cause. */
const MAX_ATTEMPTS = 2
const REFUSED = 'no engine is to be expected soon'

export interface EngineClientOptions {
  /** Name of the session in the engine's eyes: the camera's id, for example. */
  session: string
  /** 0–10: under load the session is served in proportion to priority + 1. */
  priority: number
  /** A request that spent this long without any engine fails with ENG_UNAVAILABLE; time under an engine is not counted. */
  askDeadlineMs: number
  /** A request that is not answered this long after `infer` fails with ENG_EXPIRED; `null` (default) waits for ever. */
  expiresInMs?: number | null
  clock?: Clock
}

interface Ask {
  id: number
  model: string
  picture: RgbPicture
  params: InferParams
  /** 2 after an engine died under it. */
  attempt: number
  askedMs: number
  absentMs: number
  absentSinceMs: number
  /** Ends its time without an engine. */
  absence: Timer | undefined
  expiry: Timer | undefined
  /** It expired under the engine, whose answer gives the credit back and is no use any more. */
  expired: boolean
  resolve: (result: InferResult) => void
  reject: (error: GrabberError) => void
}

export class EngineClient implements InferenceEngine {
  readonly #options: EngineClientOptions
  readonly #clock: Clock
  #endpoint: EngineEndpoint | null = null
  #connection: EngineConnection | undefined
  /** Credits left; `undefined` while no engine has welcomed us. */
  #credits: number | undefined
  #retries = 0
  #retry: Timer | undefined
  /** No engine is to be expected: a request is not kept waiting for one. */
  #refusing = false
  #lastId = 0
  #closed = false
  /** In the order of their ids. */
  #waiting: Ask[] = []
  readonly #sent = new Map<number, Ask>()

  constructor(options: EngineClientOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  /** Requests without an answer, waiting ones included. */
  get open(): number {
    return this.#waiting.length + this.#sent.size
  }

  /**
   * Where the engine is now, or `null` while there is none. Repeating the present endpoint of a live connection is harmless.
   * When it `moved`, the engine before it lives, and open requests are sent again as they are; when it is `refused`, they
   * fail with ENG_UNAVAILABLE, as do all others until there is an engine.
   */
  setEndpoint(endpoint: EngineEndpoint | null, why: EngineNews['why'] = endpoint ? 'placed' : 'gone'): void {
    if (this.#closed) return
    const same =
      endpoint?.socketPath === this.#endpoint?.socketPath && endpoint?.incarnation === this.#endpoint?.incarnation
    if (same && this.#connection !== undefined) return
    this.#endpoint = endpoint
    this.#connection?.close()
    this.#lost(why !== 'moved')
    this.#refusing = why === 'refused'
    if (this.#refusing) this.#rejectAll(REFUSED)
    this.#retries = 0
    this.#connect()
  }

  /**
   * One picture through one model. Rejects with a GrabberError: ENG_UNAVAILABLE, ENG_POISON, ENG_EXPIRED,
   * ENG_QUEUE_FULL, ENG_PROTOCOL for a picture that the model cannot take, MDL_MISSING.
   */
  infer(model: string, picture: RgbPicture, params: InferParams): Promise<InferResult> {
    const { width, height, data } = picture
    if (this.#closed) return Promise.reject(unavailable('the engine client is closed'))
    if (this.#refusing) return Promise.reject(unavailable(REFUSED))
    if (data.byteLength !== 3 * width * height || data.byteLength === 0) {
      // Sent as it is, it would cost the connection and with it everybody's requests.
      const what = `a picture of ${width}×${height} has ${data.byteLength} bytes`
      return Promise.reject(new GrabberError('ENG_PROTOCOL', what))
    }
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId
      const idle = { attempt: 1, absentMs: 0, absentSinceMs: 0, absence: undefined, expiry: undefined, expired: false }
      const ask: Ask = { id, model, picture, params, askedMs: this.#clock.monotonicMs(), ...idle, resolve, reject }
      this.#waiting.push(ask)
      if (this.#credits === undefined) this.#startAbsence(ask)
      const { expiresInMs } = this.#options
      if (expiresInMs != null) ask.expiry = this.#clock.after(expiresInMs, () => this.#expire(ask))
      this.#pump()
    })
  }

  /** Idempotent; every open request is rejected with ENG_UNAVAILABLE. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#endpoint = null
    this.#retry?.cancel()
    this.#connection?.close()
    this.#rejectAll('the engine client was closed')
  }

  #rejectAll(what: string): void {
    const open = [...this.#sent.values(), ...this.#waiting]
    this.#sent.clear()
    this.#waiting = []
    for (const ask of open) this.#fail(ask, unavailable(what))
  }

  #connect(): void {
    this.#retry?.cancel()
    if (this.#endpoint === null) return
    const { session, priority } = this.#options
    this.#connection = new EngineConnection({
      endpoint: this.#endpoint,
      session,
      priority,
      onWelcome: (credits) => this.#welcomed(credits),
      onAnswer: (answer) => this.#answered(answer),
      onClosed: () => {
        this.#lost()
        const waitMs = RETRY_MS[this.#retries++]
        if (waitMs !== undefined) this.#retry = this.#clock.after(waitMs, () => this.#connect())
      },
    })
  }

  #welcomed(credits: number): void {
    this.#credits = credits
    for (const ask of this.#waiting) {
      ask.absence?.cancel()
      ask.absentMs += this.#clock.monotonicMs() - ask.absentSinceMs
    }
    this.#pump()
  }

  /** Sends what credits allow. A request that saw an engine die goes alone, so that a second death names it surely. */
  #pump(): void {
    while (this.#connection !== undefined && this.#credits !== undefined && this.#credits > 0) {
      const ask = this.#waiting[0]
      if (ask === undefined) return
      const suspectOut = [...this.#sent.values()].some((sent) => sent.attempt > 1)
      if (suspectOut || (ask.attempt > 1 && this.#sent.size > 0)) return
      this.#waiting.shift()
      this.#sent.set(ask.id, ask)
      this.#credits--
      const { id, model, params, attempt, picture } = ask
      const { width, height } = picture
      const expiresInMs = this.#leftMs(ask)
      this.#connection.send({ type: 'infer', id, model, width, height, params, attempt, expiresInMs }, picture.data)
    }
  }

  #answered(answer: EngineAnswer): void {
    const ask = this.#sent.get(answer.id)
    if (ask === undefined || this.#credits === undefined) return
    this.#sent.delete(answer.id)
    this.#credits++
    this.#retries = 0
    if ('error' in answer) {
      this.#fail(ask, fromCoded(answer.error))
    } else {
      ask.expiry?.cancel()
      ask.resolve(answer.result)
    }
    this.#pump()
  }

  /** The connection is gone: what was sent waits again, ahead of what was not; `suspect` of having ended the engine. */
  #lost(suspect = true): void {
    this.#connection = undefined
    if (this.#credits !== undefined) {
      // Those that waited for a credit: their absence starts now.
      for (const ask of this.#waiting) this.#startAbsence(ask)
    }
    this.#credits = undefined
    const sent = [...this.#sent.values()]
    this.#sent.clear()
    const again: Ask[] = []
    for (const ask of sent) {
      if (ask.expired) continue
      if (suspect && ask.attempt >= MAX_ATTEMPTS) {
        this.#fail(ask, new GrabberError('ENG_POISON', `${MAX_ATTEMPTS} engines died under a request of ${ask.model}`))
        continue
      }
      if (suspect) ask.attempt++
      again.push(ask)
      this.#startAbsence(ask)
    }
    this.#waiting = [...again, ...this.#waiting]
  }

  #startAbsence(ask: Ask): void {
    ask.absentSinceMs = this.#clock.monotonicMs()
    const leftMs = Math.max(0, this.#options.askDeadlineMs - ask.absentMs)
    ask.absence = this.#clock.after(leftMs, () => {
      this.#waiting = this.#waiting.filter((other) => other !== ask)
      this.#fail(ask, unavailable(`no engine for ${this.#options.askDeadlineMs} ms`))
    })
  }

  /** Its answer would come too late, and may never come: an engine can hang. */
  #expire(ask: Ask): void {
    this.#waiting = this.#waiting.filter((other) => other !== ask)
    ask.expired = true
    this.#fail(ask, new GrabberError('ENG_EXPIRED', `${ask.model} did not answer in ${this.#options.expiresInMs} ms`))
  }

  /** A second call for a request does nothing. */
  #fail(ask: Ask, error: GrabberError): void {
    ask.absence?.cancel()
    ask.expiry?.cancel()
    ask.reject(error)
  }

  #leftMs({ askedMs }: Ask): number | null {
    const { expiresInMs } = this.#options
    return expiresInMs == null ? null : Math.max(0, expiresInMs - (this.#clock.monotonicMs() - askedMs))
  }
}

function unavailable(what: string): GrabberError {
  return new GrabberError('ENG_UNAVAILABLE', what)
}
