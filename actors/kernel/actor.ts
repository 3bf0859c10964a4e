/**
 * An actor: a name, a bounded mailbox and a behaviour that handles one message at a time. Runs in the daemon.
 * Must never carry frames, and never handle two messages at once.
 *
 * Theory. State that only one actor touches needs no lock; what others want from it they ask for by message. An actor does
 * not defend itself against its own defects: a throw ends it, as a crash exit that its supervisor sees. Nobody waits for
 * the dead: when an actor ends, all asks that it has not answered are rejected.
 */
import type { Clock, Timer } from '../../core/clock.ts'
import { GrabberError, toGrabberError } from '../../core/errors.ts'
import type { Logger } from '../../core/ports.ts'
import { Asks, type Reply } from './asks.ts'
import type { Exit, RunningChild } from './child.ts'
import { Mailbox } from './mailbox.ts'

export interface ActorOptions {
  name: string
  /** Messages that may wait. */
  mailboxLimit: number
  clock: Clock
  logger: Logger
}

export interface Behaviour<M> {
  /** Handles one message; the next waits until the promise settles. A throw is a crash. */
  receive(message: M): void | Promise<void>
  /** Releases what the actor holds. Called once, after its last message, however it ends. */
  close?(exit: Exit): void | Promise<void>
}

/** The actor as its own behaviour sees it. */
export interface Self<M> {
  readonly name: string
  /** Aborted when the actor is ending, so that a long wait inside a message can be cut short. */
  readonly signal: AbortSignal
  tell(message: M): boolean
  /** Sends itself a message after `delayMs`; cancelled when the actor ends. */
  after(delayMs: number, message: M): Timer
  /** Ends it in order after the present message: exit `normal`. */
  finish(): void
  /** Ends it as a crash after the present message; for failures that arrive from outside, such as a socket's. */
  crash(error: unknown): void
}

export interface ActorRef<M> extends RunningChild {
  readonly name: string
  /** False when refused: the mailbox is full (logged and counted) or the actor has ended. Never throws. */
  tell(message: M): boolean
  /**
   * Sends the message that `make` builds around a reply. Rejects with ACT_DEADLINE after `deadlineMs`, ACT_STOPPED when the
   * actor ends or has ended, ACT_OVERFLOW when its mailbox is full, or with what it failed the reply with.
   */
  ask<T>(make: (reply: Reply<T>) => M, deadlineMs: number): Promise<T>
  inspect(): { mailbox: number; refused: number; handled: number; asks: number }
}

/** Starts an actor. A throw of `make` passes through to the caller, as a failed start. */
export function spawnActor<M>(options: ActorOptions, make: (self: Self<M>) => Behaviour<M>): ActorRef<M> {
  return new Actor(options, make)
}

class Actor<M> implements ActorRef<M>, Self<M> {
  readonly name: string
  readonly exited: Promise<Exit>
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #mailbox: Mailbox<M>
  readonly #asks: Asks
  readonly #behaviour: Behaviour<M>
  readonly #timers = new Set<Timer>()
  readonly #ending = new AbortController()
  readonly #settleExit: (exit: Exit) => void
  #exit: Exit | undefined
  #busy = false
  #handled = 0
  #full = false

  constructor(options: ActorOptions, make: (self: Self<M>) => Behaviour<M>) {
    this.name = options.name
    this.#clock = options.clock
    this.#logger = options.logger
    this.#mailbox = new Mailbox(options.name, options.mailboxLimit)
    this.#asks = new Asks(options.name, options.clock)
    const { promise, resolve } = Promise.withResolvers<Exit>()
    this.exited = promise
    this.#settleExit = resolve
    this.#behaviour = make(this)
    this.#wake()
  }

  get signal(): AbortSignal {
    return this.#ending.signal
  }

  tell(message: M): boolean {
    try {
      this.#enqueue(message)
      return true
    } catch (error) {
      // Once per episode: a flood must not fill the log as well.
      if (this.#exit === undefined && !this.#full) this.#logger.warn({ error: toGrabberError(error).line }, 'refused')
      this.#full = true
      return false
    }
  }

  ask<T>(make: (reply: Reply<T>) => M, deadlineMs: number): Promise<T> {
    return this.#asks.open<T>(deadlineMs, (reply) => this.#enqueue(make(reply)))
  }

  after(delayMs: number, message: M): Timer {
    const timer = this.#clock.after(delayMs, () => {
      this.#timers.delete(timer)
      this.tell(message)
    })
    this.#timers.add(timer)
    return {
      cancel: () => {
        this.#timers.delete(timer)
        timer.cancel()
      },
    }
  }

  finish(): void {
    this.#end({ kind: 'normal' })
  }

  crash(error: unknown): void {
    this.#end({ kind: 'crash', error: toGrabberError(error) })
  }

  async stop(): Promise<void> {
    this.#end({ kind: 'shutdown' })
    await this.exited
  }

  inspect(): { mailbox: number; refused: number; handled: number; asks: number } {
    return {
      mailbox: this.#mailbox.depth,
      refused: this.#mailbox.refused,
      handled: this.#handled,
      asks: this.#asks.size,
    }
  }

  #enqueue(message: M): void {
    if (this.#exit !== undefined) throw new GrabberError('ACT_STOPPED', `${this.name} has ended`)
    this.#mailbox.push(message)
    this.#full = false
    this.#wake()
  }

  /** The first reason to end counts; the message being handled is finished, those that wait are not. */
  #end(exit: Exit): void {
    if (this.#exit !== undefined) return
    this.#exit = exit
    this.#mailbox.clear()
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    this.#ending.abort(new GrabberError('ACT_STOPPED', `${this.name} is ending`))
    this.#wake()
  }

  #wake(): void {
    if (this.#busy) return
    this.#busy = true
    queueMicrotask(() => void this.#run())
  }

  async #run(): Promise<void> {
    try {
      for (let next = this.#mailbox.take(); next !== undefined; next = this.#mailbox.take()) {
        await this.#behaviour.receive(next.message)
        this.#handled++
      }
    } catch (error) {
      this.crash(error)
    }
    if (this.#exit === undefined) this.#busy = false
    else await this.#close(this.#exit)
  }

  /** Stays busy for ever after: nothing runs in an actor that has ended. */
  async #close(exit: Exit): Promise<void> {
    let last = exit
    try {
      await this.#behaviour.close?.(exit)
    } catch (error) {
      if (exit.kind !== 'crash') last = { kind: 'crash', error: toGrabberError(error) }
      else this.#logger.error({ error: toGrabberError(error).line }, 'close failed after a crash')
    }
    this.#asks.rejectAll(last)
    this.#settleExit(last)
  }
}
