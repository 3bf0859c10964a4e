/**
 * Items that stand for leased frames, and a `bounded` under a test's control: when work settles, what becomes of each item.
 * Test support.
 */
import { Observable, type Observer, type Subscription } from 'rxjs'
import { type BoundedOptions, bounded, type DropReason } from '../../../streams/operators/bounded.ts'
import { settle } from '../virtual-clock.ts'

type Fate = 'result' | DropReason

export class ItemFailure extends Error {}

/** `bounded` over numbers; each item's work waits until the test settles it. */
export class Bench {
  readonly started: number[] = []
  readonly results: number[] = []
  readonly drops: [item: number, reason: DropReason][] = []
  /** What became of each item; one entry for each time something did. */
  readonly fates = new Map<number, Fate[]>()
  ended: 'complete' | { error: unknown } | undefined
  most = 0
  subscription: Subscription | undefined
  #source: Observer<number> | undefined
  #working = new Map<number, { resolve(value: number): void; reject(error: unknown): void }>()

  constructor(
    options: Partial<BoundedOptions<number, number>> = {},
    source?: Observable<number>,
    onResult: (bench: Bench, value: number) => void = () => undefined,
  ) {
    const items =
      source ??
      new Observable<number>((subscriber) => {
        this.#source = subscriber
      })
    const operator = bounded<number, number>({
      inFlight: 1,
      queue: 2,
      overflow: 'drop-oldest',
      project: (item) => this.#work(item),
      onDrop: (item, reason) => {
        this.drops.push([item, reason])
        this.#note(item, reason)
      },
      isItemFailure: (error) => error instanceof ItemFailure,
      ...options,
    })
    // Assigned before the source runs, so that a result may end the subscription.
    const observer = {
      next: (value: number) => {
        this.results.push(value)
        this.#note(Math.abs(value), 'result')
        onResult(this, value)
      },
      error: (error: unknown) => {
        this.ended = { error }
      },
      complete: () => {
        this.ended = 'complete'
      },
    }
    this.subscription = items.pipe(operator).subscribe(observer)
  }

  /** Items whose work runs. */
  get working(): number[] {
    return [...this.#working.keys()]
  }

  push(...items: number[]): void {
    for (const item of items) this.#source?.next(item)
  }

  complete(): void {
    this.#source?.complete()
  }

  fail(error: unknown): void {
    this.#source?.error(error)
  }

  /** The item's work answers with the item, negated. */
  async finish(...items: number[]): Promise<void> {
    for (const item of items) this.#take(item).resolve(-item)
    await settle()
  }

  async reject(item: number, error: unknown): Promise<void> {
    this.#take(item).reject(error)
    await settle()
  }

  /** Items of which more or less than one thing became. */
  unsettled(items: readonly number[]): number[] {
    return items.filter((item) => this.fates.get(item)?.length !== 1)
  }

  #take(item: number) {
    const work = this.#working.get(item)
    if (!work) throw new Error(`no work runs for ${item}`)
    this.#working.delete(item)
    return work
  }

  #work(item: number): Promise<number> {
    this.started.push(item)
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    this.#working.set(item, { resolve, reject })
    this.most = Math.max(this.most, this.#working.size)
    return promise
  }

  #note(item: number, fate: Fate): void {
    this.fates.set(item, [...(this.fates.get(item) ?? []), fate])
  }
}
