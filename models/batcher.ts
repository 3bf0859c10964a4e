/**
 * The dynamic batcher: which requests go to the device next. Owns the waiting line; does no I/O and runs no model.
 * Runs in the engine host's I/O thread. Every accepted item is handed to exactly one of `run` and `expired`, unless its
 * session left; an item that is not accepted is the caller's to answer (ENG_QUEUE_FULL).
 *
 * Work-conserving: one batch runs at a time, and a free device starts at once with what is queued; nobody waits for a
 * batch to fill. Batches form because requests arrive while the device is busy. When it becomes free, the lane with the
 * fullest batch goes first (throughput), unless some item has waited `maxWaitMs` or more: then the lane of the item that
 * has waited longest goes (no camera starves because its pictures have a rare size). That choice is the only place where
 * `maxWaitMs` acts. Within a lane the sessions take turns; within a session the order is kept.
 */
import type { Clock, Timer } from '../core/clock.ts'

export interface BatchItem {
  readonly session: number
  /** Items of one lane can share a batch: same model, same picture size. */
  readonly lane: string
  /** Runs in a batch of its own: an engine may have died under it. */
  readonly alone: boolean
  /** Not run when it has waited longer, ms; `null` waits for ever. */
  readonly expiresInMs: number | null
}

export interface BatcherOptions<T extends BatchItem> {
  clock: Clock
  maxWaitMs: number
  /** Items waiting over all sessions; the running batch is not counted. */
  queueLimit: number
  /** Largest batch of this item's lane, at this moment. */
  limit: (item: T) => number
  /** Starts a batch. The device is busy until `done()`; must not call back into the batcher before it returns. */
  run: (items: T[], waitedMs: number[]) => void
  expired: (item: T, waitedMs: number) => void
}

interface Waiting<T> {
  item: T
  sinceMs: number
  lane: Lane<T>
  expiry: Timer | undefined
}

/** Waiting items by session; the map's order is the sessions' turn. Never holds an empty list. */
interface Lane<T> {
  name: string
  turns: Map<number, Waiting<T>[]>
  size: number
}

export class Batcher<T extends BatchItem> {
  readonly #options: BatcherOptions<T>
  readonly #lanes = new Map<string, Lane<T>>()
  #depth = 0
  #busy = false
  #aloneCount = 0

  constructor(options: BatcherOptions<T>) {
    this.#options = options
  }

  /** Items waiting. */
  get depth(): number {
    return this.#depth
  }

  get busy(): boolean {
    return this.#busy
  }

  /** False when the queue is full. */
  submit(item: T): boolean {
    if (this.#depth >= this.#options.queueLimit) return false
    const { clock } = this.#options
    const lane = this.#lane(item.alone ? `${item.lane}#${++this.#aloneCount}` : item.lane)
    const waiting: Waiting<T> = { item, sinceMs: clock.monotonicMs(), lane, expiry: undefined }
    if (item.expiresInMs !== null) waiting.expiry = clock.after(item.expiresInMs, () => this.#expire(waiting))
    const turn = lane.turns.get(item.session)
    if (turn === undefined) lane.turns.set(item.session, [waiting])
    else turn.push(waiting)
    lane.size++
    this.#depth++
    this.#next()
    return true
  }

  /** The running batch is over, well or badly. */
  done(): void {
    this.#busy = false
    this.#next()
  }

  /** Forgets what `session` had waiting; nobody is there to be answered. Returns how many. */
  leave(session: number): number {
    let gone = 0
    for (const lane of [...this.#lanes.values()]) {
      for (const waiting of [...(lane.turns.get(session) ?? [])]) {
        this.#remove(waiting)
        gone++
      }
    }
    return gone
  }

  #next(): void {
    while (!this.#busy && this.#depth > 0) {
      const batch = this.#take(this.#choose())
      if (batch.length === 0) continue
      this.#busy = true
      const now = this.#options.clock.monotonicMs()
      this.#options.run(
        batch.map((waiting) => waiting.item),
        batch.map((waiting) => now - waiting.sinceMs),
      )
    }
  }

  #choose(): Lane<T> {
    const now = this.#options.clock.monotonicMs()
    let fullest: Lane<T> | undefined
    let most = 0
    let longest: Lane<T> | undefined
    let oldestMs = Number.POSITIVE_INFINITY
    for (const lane of this.#lanes.values()) {
      const size = Math.min(lane.size, this.#limit(lane))
      const sinceMs = oldest(lane)
      const olderThanFullest = fullest === undefined || sinceMs < oldest(fullest)
      if (size > most || (size === most && olderThanFullest)) {
        fullest = lane
        most = size
      }
      if (sinceMs < oldestMs) {
        longest = lane
        oldestMs = sinceMs
      }
    }
    if (fullest === undefined || longest === undefined) throw new Error('items wait but no lane holds one')
    return now - oldestMs >= this.#options.maxWaitMs ? longest : fullest
  }

  #limit(lane: Lane<T>): number {
    const first = lane.turns.values().next().value![0]!
    return Math.max(1, this.#options.limit(first.item))
  }

  /** One item from each session in turn, until the batch is full or the lane empty. */
  #take(lane: Lane<T>): Waiting<T>[] {
    const limit = this.#limit(lane)
    const batch: Waiting<T>[] = []
    while (batch.length < limit && lane.size > 0) {
      const [session, turn] = lane.turns.entries().next().value!
      const waiting = turn[0]!
      // Its timer may be late: the deadline counts, not the timer.
      const { expiresInMs } = waiting.item
      const late = expiresInMs !== null && this.#options.clock.monotonicMs() - waiting.sinceMs >= expiresInMs
      if (late) {
        this.#expire(waiting)
        continue
      }
      this.#remove(waiting)
      if (lane.turns.delete(session)) lane.turns.set(session, turn)
      batch.push(waiting)
    }
    return batch
  }

  #expire(waiting: Waiting<T>): void {
    this.#remove(waiting)
    this.#options.expired(waiting.item, this.#options.clock.monotonicMs() - waiting.sinceMs)
  }

  #remove(waiting: Waiting<T>): void {
    const { lane, item } = waiting
    const turn = lane.turns.get(item.session)
    const index = turn?.indexOf(waiting) ?? -1
    if (turn === undefined || index < 0) throw new Error('an item left the queue twice')
    waiting.expiry?.cancel()
    turn.splice(index, 1)
    if (turn.length === 0) lane.turns.delete(item.session)
    lane.size--
    this.#depth--
    if (lane.size === 0) this.#lanes.delete(lane.name)
  }

  #lane(name: string): Lane<T> {
    let lane = this.#lanes.get(name)
    if (lane === undefined) {
      lane = { name, turns: new Map(), size: 0 }
      this.#lanes.set(name, lane)
    }
    return lane
  }
}

function oldest<T>(lane: Lane<T>): number {
  let sinceMs = Number.POSITIVE_INFINITY
  for (const turn of lane.turns.values()) sinceMs = Math.min(sinceMs, turn[0]!.sinceMs)
  return sinceMs
}
