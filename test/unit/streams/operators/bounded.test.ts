import fc from 'fast-check'
import { EMPTY, from, NEVER, of, throwError } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { settle } from '../../virtual-clock.ts'
import { Bench, ItemFailure } from '../leased-items.ts'

describe('bounded, the usual cases', () => {
  it('never: emits nothing and does not end', async () => {
    const bench = new Bench({}, NEVER)
    await settle()
    expect([bench.results, bench.ended]).toEqual([[], undefined])
    bench.subscription?.unsubscribe()
    expect(bench.drops).toEqual([])
  })

  it('empty: completes at once', () => {
    expect(new Bench({}, EMPTY).ended).toBe('complete')
  })

  it('one: completes with its result, and not before', async () => {
    const bench = new Bench({}, of(1))
    await settle()
    expect([bench.results, bench.ended]).toEqual([[], undefined])
    await bench.finish(1)
    expect([bench.results, bench.ended]).toEqual([[-1], 'complete'])
  })

  it('many: every item of a slow consumer is worked on, one after the other', async () => {
    const bench = new Bench({ queue: 10, overflow: 'wait' })
    bench.push(1, 2, 3, 4)
    for (const item of [1, 2, 3, 4]) {
      expect(bench.working).toEqual([item])
      await bench.finish(item)
    }
    bench.complete()
    expect([bench.results, bench.ended, bench.drops]).toEqual([[-1, -2, -3, -4], 'complete', []])
  })

  it('error: passes it on and gives back what it holds, running and waiting', async () => {
    const bench = new Bench()
    bench.push(1, 2, 3)
    const error = new Error('source')
    bench.fail(error)
    expect(bench.ended).toEqual({ error })
    expect(bench.unsettled([1, 2, 3])).toEqual([])
    await bench.finish(1)
    expect(bench.results).toEqual([])
    expect(bench.fates.get(1)).toEqual(['unsubscribed'])
    expect(
      new Bench(
        {},
        throwError(() => error),
      ).ended,
    ).toEqual({ error })
  })

  it('early unsubscribe: gives back running, settled and waiting items; late answers and failures are nobody’s', async () => {
    const bench = new Bench({ inFlight: 2 })
    bench.push(1, 2, 3, 4)
    await bench.finish(2)
    bench.subscription?.unsubscribe()
    expect([...bench.drops].sort()).toEqual([1, 2, 3, 4].map((item) => [item, 'unsubscribed']))
    await bench.reject(1, new ItemFailure())
    expect([bench.results, bench.ended]).toEqual([[], undefined])
    expect(bench.unsettled([1, 2, 3, 4])).toEqual([])
  })

  it('a consumer that unsubscribes on a result gets no other, and the rest is given back', async () => {
    const bench = new Bench({ inFlight: 2 }, undefined, ({ subscription }) => subscription?.unsubscribe())
    bench.push(1, 2, 3)
    await bench.finish(2)
    await bench.finish(1)
    expect(bench.results).toEqual([-1])
    expect(bench.drops).toEqual([
      [3, 'unsubscribed'],
      [2, 'unsubscribed'],
    ])
  })

  it('a synchronous source: all items in one go, then complete', async () => {
    const bench = new Bench({ inFlight: 2, queue: 8, overflow: 'wait' }, from([1, 2, 3, 4]))
    await bench.finish(1, 2)
    await bench.finish(4, 3)
    expect([bench.results, bench.ended]).toEqual([[-1, -2, -3, -4], 'complete'])
  })

  it('a synchronous source that overflows a stage which must not drop: an error, and everything is given back', () => {
    const bench = new Bench({ queue: 1, overflow: 'wait' }, from([1, 2, 3, 4, 5]))
    expect(bench.ended).toEqual({ error: expect.objectContaining({ message: expect.stringContaining('more than 1') }) })
    expect(bench.unsettled([1, 2, 3, 4, 5])).toEqual([])
  })
})

describe('bounded, its limits', () => {
  it.each([1, 2])('runs at most %i at once', async (inFlight) => {
    const bench = new Bench({ inFlight, queue: 8, overflow: 'wait' })
    bench.push(1, 2, 3, 4)
    expect(bench.started).toEqual([1, 2].slice(0, inFlight))
    while (bench.working.length > 0) await bench.finish(bench.working[0]!)
    expect(bench.most).toBe(inFlight)
    expect(bench.results).toEqual([-1, -2, -3, -4])
  })

  it('drops the oldest waiting item, never a running one', () => {
    const bench = new Bench({ queue: 2 })
    bench.push(1, 2, 3, 4, 5)
    expect(bench.drops).toEqual([
      [2, 'overflow'],
      [3, 'overflow'],
    ])
    expect(bench.working).toEqual([1])
  })

  it('without a queue the newest goes when the stage is busy', () => {
    const bench = new Bench({ queue: 0 })
    bench.push(1, 2)
    expect(bench.drops).toEqual([[2, 'overflow']])
  })

  it('keeps the order when results come out of order, and starts nothing new behind a slow head', async () => {
    const bench = new Bench({ inFlight: 2, queue: 8 })
    bench.push(1, 2, 3)
    await bench.finish(2)
    expect([bench.results, bench.working]).toEqual([[], [1]])
    await bench.finish(1)
    expect([bench.results, bench.working]).toEqual([[-1, -2], [3]])
  })

  it('ends with the last result when the source completed before it', async () => {
    const bench = new Bench({ inFlight: 2 })
    bench.push(1, 2, 3)
    bench.complete()
    await bench.finish(1)
    await bench.finish(2)
    expect(bench.ended).toBeUndefined()
    await bench.finish(3)
    expect(bench.ended).toBe('complete')
  })
})

describe('bounded, failures', () => {
  it('an item that fails is dropped and the others go on, in order', async () => {
    const bench = new Bench({ inFlight: 2, queue: 8 })
    bench.push(1, 2, 3)
    await bench.finish(2)
    await bench.reject(1, new ItemFailure())
    await bench.finish(3)
    bench.complete()
    expect([bench.results, bench.drops, bench.ended]).toEqual([[-2, -3], [[1, 'failed']], 'complete'])
  })

  it('completes when the last item fails after the source ended', async () => {
    const bench = new Bench({}, of(1))
    await bench.reject(1, new ItemFailure())
    expect([bench.ended, bench.drops]).toEqual(['complete', [[1, 'failed']]])
  })

  it('any other failure ends the stream; the failing item and the others are given back', async () => {
    const bench = new Bench({ inFlight: 2 })
    bench.push(1, 2, 3)
    const error = new Error('stream')
    await bench.reject(2, error)
    expect(bench.ended).toEqual({ error })
    expect(bench.unsettled([1, 2, 3])).toEqual([])
    expect(bench.drops.every(([, reason]) => reason === 'unsubscribed')).toBe(true)
  })

  it('a project that throws at once is a failure like any other', async () => {
    const bench = new Bench({
      project: () => {
        throw new ItemFailure()
      },
    })
    bench.push(1)
    await settle()
    expect(bench.drops).toEqual([[1, 'failed']])
  })
})

type Step = { do: 'push' } | { do: 'settle'; which: number; fails: boolean }
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constant<Step>({ do: 'push' }),
  fc.record({ do: fc.constant('settle' as const), which: fc.nat(7), fails: fc.boolean() }),
)
const ending = fc.constantFrom('complete', 'error', 'unsubscribe', 'stream failure')

describe('bounded, any history', () => {
  it('settles every item exactly once, in order, within its limits', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 0, max: 4 }),
        fc.array(step, { maxLength: 40 }),
        ending,
        async (inFlight, queue, steps, end) => {
          const bench = new Bench({ inFlight, queue })
          let pushed = 0
          for (const next of steps) {
            const { working } = bench
            if (next.do === 'push') bench.push(++pushed)
            else if (working.length > 0) {
              const item = working[next.which % working.length]!
              await (next.fails ? bench.reject(item, new ItemFailure()) : bench.finish(item))
            }
          }
          if (end === 'complete') {
            bench.complete()
            while (bench.working.length > 0) await bench.finish(bench.working.at(-1)!)
            expect(bench.ended).toBe('complete')
          } else if (end === 'error') bench.fail(new Error('source'))
          else if (end === 'stream failure' && bench.working[0])
            await bench.reject(bench.working[0], new Error('defect'))
          else bench.subscription?.unsubscribe()
          const items = Array.from({ length: pushed }, (_, index) => index + 1)
          expect(bench.unsettled(items)).toEqual([])
          expect(bench.results).toEqual([...bench.results].sort((a, b) => b - a))
          expect(bench.started).toEqual([...bench.started].sort((a, b) => a - b))
          expect(bench.most).toBeLessThanOrEqual(inFlight)
        },
      ),
      { numRuns: 150 },
    )
  })
})
