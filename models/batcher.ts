/**
 * The dynamic batcher: which requests go to the device next. Owns the waiting line; does no I/O and runs no model.
 * Runs in the engine host's I/O thread. Every accepted item leaves by exactly one of `commit` and `expired`, unless its
 * session left; an item that is not accepted is the caller's to answer (ENG_QUEUE_FULL).
 *
 * Choosing (`select`) changes nothing, so that a choice can be offered to the device while it is busy, and be replaced by a
 * better one until the device takes it. Batches are of one lane. As long as nobody waited `maxWaitMs`, the lane that makes the
 * fullest batch goes first (throughput); then the lane of the session whose turn it is (fairness). Places within a batch go by
 * turns always (models/fair-share). Within a session and lane the order is kept.
 */
import type { Clock, Timer } from '../core/clock.ts'
import { FairShare, type ShareDraft } from './fair-share.ts'

export interface BatchItem {
  readonly session: number
  /** The session's weight under load, > 0. */
  readonly weight: number
  /** Items of one lane can share a batch: same model, same picture size. */
  readonly lane: string
  /** Runs in a batch of its own: an engine may have died under it. */
  readonly alone: boolean
  /** Not run when it has waited longer, ms; `null` waits for ever. */
  readonly expiresInMs: number | null
}

export interface BatcherOptions<T extends BatchItem> {
  clock: Clock
  /** How long an item may be passed over for a fuller batch. */
  maxWaitMs: number
  /** Items waiting over all sessions. */
  queueLimit: number
  /** Largest batch of this item's lane, at this moment. */
  limit: (item: T) => number
  /** Device time of one such item, in any unit that is the same for all lanes. */
  cost: (item: T) => number
  /** Asked before a waiting item is taken away: false when the device has it already (and it was committed). */
  reclaim: (item: T) => boolean
  expired: (item: T, waitedMs: number) => void
}

interface Waiting<T> {
  item: T
  sinceMs: number
  lane: Lane<T>
  expiry: Timer | undefined
}

/** Waiting items by session, each list in order. Never holds an empty list. */
interface Lane<T> {
  name: string
  turns: Map<number, Waiting<T>[]>
  size: number
}

export interface Selection<T> {
  readonly items: readonly T[]
  readonly waiting: readonly Waiting<T>[]
  readonly draft: ShareDraft
}

export class Batcher<T extends BatchItem> {
  readonly #options: BatcherOptions<T>
  readonly #lanes = new Map<string, Lane<T>>()
  readonly #shares = new FairShare()
  #depth = 0
  #aloneCount = 0

  constructor(options: BatcherOptions<T>) {
    this.#options = options
  }

  /** Items waiting. */
  get depth(): number {
    return this.#depth
  }

  /** False when the queue is full. */
  submit(item: T): boolean {
    if (this.#depth >= this.#options.queueLimit) return false
    const { clock } = this.#options
    const lane = this.#lane(item.alone ? `${item.lane}#${++this.#aloneCount}` : item.lane)
    const waiting: Waiting<T> = { item, sinceMs: clock.monotonicMs(), lane, expiry: undefined }
    if (item.expiresInMs !== null) waiting.expiry = clock.after(item.expiresInMs, () => this.#expire(waiting))
    this.#shares.open(item.session, item.weight)
    const turn = lane.turns.get(item.session)
    if (turn === undefined) lane.turns.set(item.session, [waiting])
    else turn.push(waiting)
    lane.size++
    this.#depth++
    return true
  }

  /** The best batch now, of items that stay in the line until `commit`; `undefined` when none can run. */
  select(): Selection<T> | undefined {
    const nowMs = this.#options.clock.monotonicMs()
    const heads = this.#heads(nowMs)
    if (heads.length === 0) return undefined
    const draft = this.#shares.draft(
      new Set(heads.map(({ item }) => item.session)),
      Math.max(...heads.map(({ item }) => this.#options.cost(item))),
    )
    const lane = this.#choose(heads, draft, nowMs)
    const limit = this.#limit(lane)
    const places = new Map([...lane.turns].map(([session, turn]) => [session, runnable(turn, nowMs)]))
    const waiting: Waiting<T>[] = []
    while (waiting.length < limit) {
      const session = draft.next((one) => (places.get(one)?.length ?? 0) > 0)
      if (session === undefined) break
      const next = places.get(session)!.shift()!
      const cost = this.#options.cost(next.item)
      draft.charge(session, cost, limit * cost)
      waiting.push(next)
    }
    return { items: waiting.map(({ item }) => item), waiting, draft }
  }

  /** The selection's items leave the line: the device has them. Returns how long each waited, ms. */
  commit({ waiting, draft }: Selection<T>): number[] {
    const nowMs = this.#options.clock.monotonicMs()
    this.#shares.settle(draft)
    for (const one of waiting) this.#remove(one)
    return waiting.map(({ sinceMs }) => nowMs - sinceMs)
  }

  /** Forgets what `session` had waiting; nobody is there to be answered. Returns those items. */
  leave(session: number): T[] {
    const gone: T[] = []
    for (const lane of [...this.#lanes.values()]) {
      for (const waiting of [...(lane.turns.get(session) ?? [])]) {
        // Reclaiming one of an offer that the device has taken already commits the whole offer.
        if (!lane.turns.get(session)?.includes(waiting) || !this.#options.reclaim(waiting.item)) continue
        this.#remove(waiting)
        gone.push(waiting.item)
      }
    }
    this.#shares.close(session)
    return gone
  }

  /** The first item of each session in each lane. One past its deadline is left to its timer, which is due. */
  #heads(nowMs: number): Waiting<T>[] {
    const heads: Waiting<T>[] = []
    for (const lane of this.#lanes.values()) {
      for (const turn of lane.turns.values()) {
        const head = turn.find((waiting) => !isLate(waiting, nowMs))
        if (head !== undefined) heads.push(head)
      }
    }
    return heads
  }

  #choose(heads: Waiting<T>[], draft: ShareDraft, nowMs: number): Lane<T> {
    const oldestMs = Math.min(...heads.map(({ sinceMs }) => sinceMs))
    if (nowMs - oldestMs >= this.#options.maxWaitMs) {
      const leader = draft.next(() => true)
      return first(heads.filter(({ item }) => item.session === leader)).lane
    }
    const sizes = new Map<Lane<T>, number>()
    for (const { lane } of heads) sizes.set(lane, Math.min(lane.size, this.#limit(lane)))
    const most = Math.max(...sizes.values())
    return first(heads.filter(({ lane }) => sizes.get(lane) === most)).lane
  }

  #limit(lane: Lane<T>): number {
    const head = lane.turns.values().next().value![0]!
    return Math.max(1, this.#options.limit(head.item))
  }

  #expire(waiting: Waiting<T>): void {
    if (!this.#options.reclaim(waiting.item)) return
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

function first<T>(waiting: Waiting<T>[]): Waiting<T> {
  return waiting.reduce((a, b) => (b.sinceMs < a.sinceMs ? b : a))
}

function isLate<T extends BatchItem>({ item, sinceMs }: Waiting<T>, nowMs: number): boolean {
  return item.expiresInMs !== null && nowMs - sinceMs >= item.expiresInMs
}

function runnable<T extends BatchItem>(turn: Waiting<T>[], nowMs: number): Waiting<T>[] {
  return turn.filter((waiting) => !isLate(waiting, nowMs))
}
