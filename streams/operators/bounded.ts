/**
 * `bounded`: asynchronous work on a stream of leased items with at most `inFlight` running and `queue` waiting.
 * Order is kept: results leave in the order their items came. Session host only.
 * Our own operator, because RxJS's flattening operators queue without bound or drop without a hook (FACTS, RxJS 7.8).
 *
 * overflow 'drop-oldest': the oldest waiting item goes, through `onDrop(item, 'overflow')`: newest wins.
 * overflow 'wait': the reader was to be held back by `Admission`; an overflow is then a defect and ends the stream.
 *
 * Ownership: an item belongs to the operator from `next` until its result is emitted, or `onDrop` was called with it
 * ('overflow', 'failed', 'unsubscribed'). `project` must not release it.
 */
import { Observable, type OperatorFunction } from 'rxjs'

export type DropReason = 'overflow' | 'failed' | 'unsubscribed'

export interface BoundedOptions<T, R> {
  inFlight: number
  queue: number
  overflow: 'drop-oldest' | 'wait'
  project(item: T): Promise<R>
  onDrop(item: T, reason: DropReason, error?: unknown): void
  /** True for an error of one item (drop it, go on); false ends the stream with the error. */
  isItemFailure(error: unknown): boolean
}

interface Slot<T, R> {
  item: T
  outcome?: { ok: true; value: R } | { ok: false }
}

export function bounded<T, R>(options: BoundedOptions<T, R>): OperatorFunction<T, R> {
  const { inFlight, queue, overflow, project, onDrop, isItemFailure } = options
  return (source) =>
    new Observable<R>((subscriber) => {
      const waiting: T[] = []
      /** Started items in order of arrival; the head is emitted first. */
      const running: Slot<T, R>[] = []
      let ended = false
      let closed = false

      const emitSettled = () => {
        for (let outcome = running[0]?.outcome; outcome; outcome = running[0]?.outcome) {
          running.shift()
          if (outcome.ok) subscriber.next(outcome.value)
          // The consumer may have unsubscribed or failed in `next`.
          if (closed) return
        }
        if (ended && running.length === 0 && waiting.length === 0) subscriber.complete()
      }

      const settle = (slot: Slot<T, R>, outcome: NonNullable<Slot<T, R>['outcome']>) => {
        slot.outcome = outcome
        emitSettled()
        pump()
      }

      const run = async (slot: Slot<T, R>) => {
        let value: R
        try {
          value = await project(slot.item)
        } catch (error) {
          if (closed) return
          if (!isItemFailure(error)) return subscriber.error(error)
          onDrop(slot.item, 'failed', error)
          return settle(slot, { ok: false })
        }
        if (!closed) settle(slot, { ok: true, value })
      }

      const pump = () => {
        // Settled results behind a slow head count as in flight: they hold their items.
        while (!closed && running.length < inFlight && waiting.length > 0) {
          const slot: Slot<T, R> = { item: waiting.shift()! }
          running.push(slot)
          void run(slot)
        }
      }

      const subscription = source.subscribe({
        next(item) {
          waiting.push(item)
          pump()
          if (waiting.length <= queue) return
          if (overflow === 'drop-oldest') onDrop(waiting.shift()!, 'overflow')
          else subscriber.error(new Error(`bounded: more than ${queue} items wait for a stage that must not drop`))
        },
        error: (error) => subscriber.error(error),
        complete() {
          ended = true
          emitSettled()
        },
      })

      return () => {
        closed = true
        subscription.unsubscribe()
        for (const item of waiting.splice(0)) onDrop(item, 'unsubscribed')
        for (const { item, outcome } of running.splice(0)) if (outcome?.ok !== false) onDrop(item, 'unsubscribed')
      }
    })
}
